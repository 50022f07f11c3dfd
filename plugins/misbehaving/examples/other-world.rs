//! A guest for tests: a sound component of a world that is not the contract, which no gateway may take for a policy.

#[allow(unsafe_code, missing_docs, clippy::all, reason = "generated code")]
#[allow(
    clippy::undocumented_unsafe_blocks,
    unused_qualifications,
    unreachable_pub,
    reason = "generated code"
)]
#[allow(clippy::allow_attributes_without_reason, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({ path: "wit/weather.wit", world: "forecast" });

    export!(Forecast);

    struct Forecast;

    impl Guest for Forecast {
        fn noon_temperature(days: u32) -> i32 {
            days.try_into().unwrap_or(i32::MAX)
        }
    }
}
