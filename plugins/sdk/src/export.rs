//! From a [`Policy`] to the exports of a component, and from its golden cases to a test.

use alloc::string::String;

use crate::{Decision, Descriptor, Policy, Request, bindings};

impl<P: Policy> bindings::Guest for P {
    fn describe() -> Descriptor {
        P::describe()
    }

    fn evaluate(request: Request) -> Result<Decision, String> {
        P::evaluate(&request)
    }
}

/// Exports a [`Policy`] as the component that the gateway loads. Once per policy, beside its type.
///
/// `export_policy!(MyPolicy)` is for a policy that uses the standard library. `export_policy!(MyPolicy, no_std)` is for
/// a `#![no_std]` policy: it brings an allocator that suits instances which live for one evaluation, and turns a panic
/// into a bare trap. The second form is smaller and faster to start.
#[macro_export]
macro_rules! export_policy {
    ($policy:ident) => {
        $crate::bindings::export!($policy with_types_in $crate::bindings);
    };
    ($policy:ident, no_std) => {
        $crate::export_policy!($policy);
        $crate::bump_allocator!();

        #[cfg(target_family = "wasm")]
        #[panic_handler]
        fn trap_on_panic(_: &::core::panic::PanicInfo<'_>) -> ! {
            ::core::arch::wasm32::unreachable()
        }
    };
}

/// Makes a test of a file of golden cases: `golden_cases!("golden-cases.json", MyPolicy);`. The path is that of the file
/// in the folder of the policy. The same file travels with the policy, and every gateway runs it before a new release
/// comes into force.
#[macro_export]
macro_rules! golden_cases {
    ($file:literal, $policy:ty) => {
        #[cfg(all(test, not(target_family = "wasm")))]
        #[test]
        fn golden_cases_hold() {
            $crate::testing::assert_golden_cases::<$policy>(
                $file,
                ::core::include_str!(::core::concat!(
                    ::core::env!("CARGO_MANIFEST_DIR"),
                    "/",
                    $file
                )),
            );
        }
    };
}

// What a compiler may call without being asked, such as `memcmp`. The standard library brings the C library along; a
// policy without it gets the few functions that it uses from here.
#[cfg(target_family = "wasm")]
#[expect(
    unsafe_code,
    reason = "the block declares nothing; it names a library to the linker"
)]
#[link(name = "c")]
unsafe extern "C" {}
