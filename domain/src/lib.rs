//! Money, the payment aggregate and the risk decision. Depends on nothing.
