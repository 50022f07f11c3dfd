//! What every adapter owes, over each of them.

mod simulated {
    use std::sync::Arc;

    use application::ports::Acquirer;
    use portcullis_acquirers::{Config, open};

    async fn open_it() -> (Arc<dyn Acquirer>, ()) {
        (open(&Config::default()).unwrap(), ())
    }

    testkit::acquirer_contract!(open_it);
}

mod http {
    use std::sync::Arc;

    use application::ports::Acquirer;

    use crate::desk::Desk;

    async fn open_it() -> (Arc<dyn Acquirer>, Desk) {
        let desk = Desk::open().await;
        (desk.acquirer(), desk)
    }

    testkit::acquirer_contract!(open_it);
}
