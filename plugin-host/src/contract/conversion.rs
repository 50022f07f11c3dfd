//! The conversion that versions of the contract share: the same statements, over the types that each version's own bindings
//! have under the same names. A version that has other names or other fields says so itself, as with `money`.

/// Writes the conversion for a version. Expects in scope what the version's bindings are made of (`types`, `host`,
/// `RiskPolicyPre`), and `money`, which makes an amount of the version.
macro_rules! conversion {
    () => {
        use std::sync::atomic::{AtomicBool, Ordering};

        use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
        use domain::risk::{Fault, Outcome, Reason, Verdict};
        use wasmtime::component::{Component, ComponentExportIndex, HasSelf, Linker, TypedFunc};
        use wasmtime::{Engine, Store};

        use crate::contract::answer::{self, DescribedPolicy};
        use crate::contract::request::{Inputs, PaymentParts, PaymentView};
        use crate::document::{ParameterValue, PaymentPart};
        use crate::sandbox::{EvaluationContext, LogLevel};

        /// The flags of the contract and the parts they mean.
        const PARTS: [(types::PaymentParts, PaymentPart); PaymentPart::ALL.len()] = [
            (types::PaymentParts::CARD, PaymentPart::Card),
            (types::PaymentParts::CUSTOMER, PaymentPart::Customer),
            (types::PaymentParts::DEVICE, PaymentPart::Device),
            (types::PaymentParts::METADATA, PaymentPart::Metadata),
        ];

        /// What `evaluate` takes, and what it gives.
        type Evaluate<'a> = TypedFunc<(types::Request<'a>,), (Result<types::Decision, String>,)>;

        /// A component of this version, ready to be instantiated.
        pub(crate) struct Linked {
            policy: RiskPolicyPre<EvaluationContext>,
            evaluate: ComponentExportIndex,
            /// wasmtime held the types of an instance's exports against those of the contract. They are the component's: what holds of
            /// one instance holds of all, and need not be looked at for each payment.
            is_checked: AtomicBool,
        }

        /// Links a component of this version.
        pub(in crate::contract) fn link(
            mut linker: Linker<EvaluationContext>,
            component: &Component,
        ) -> wasmtime::Result<Linked> {
            host::add_to_linker::<_, HasSelf<EvaluationContext>>(&mut linker, |context| context)?;
            types::add_to_linker::<_, HasSelf<EvaluationContext>>(&mut linker, |context| context)?;
            let evaluate = component
                .get_export_index(None, "evaluate")
                .ok_or_else(|| wasmtime::format_err!("there is no export `evaluate`"))?;
            Ok(Linked {
                policy: RiskPolicyPre::new(linker.instantiate_pre(component)?)?,
                evaluate,
                is_checked: AtomicBool::new(false),
            })
        }

        /// Asks what the policy says of itself.
        pub(in crate::contract) fn describe(
            linked: &Linked,
            store: &mut Store<EvaluationContext>,
        ) -> wasmtime::Result<DescribedPolicy> {
            let instance = linked.checked(store)?;
            instance.call_describe(store).map(described)
        }

        impl Linked {
            /// The engine that it was compiled by.
            pub(in crate::contract) fn engine(&self) -> &Engine {
                self.policy.engine()
            }

            /// Makes an instance and leaves it in the store.
            #[cfg(test)]
            pub(in crate::contract) fn instantiate(
                &self,
                store: &mut Store<EvaluationContext>,
            ) -> wasmtime::Result<()> {
                self.checked(store).map(drop)
            }

            /// Makes an instance, whose exports are of the types of the contract.
            fn checked(&self, store: &mut Store<EvaluationContext>) -> wasmtime::Result<RiskPolicy> {
                let instance = self.policy.instantiate(&mut *store)?;
                self.is_checked.store(true, Ordering::Relaxed);
                Ok(instance)
            }

            /// Makes an instance, and calls its `evaluate`.
            fn call_evaluate(
                &self,
                store: &mut Store<EvaluationContext>,
                request: types::Request<'_>,
            ) -> wasmtime::Result<Result<types::Decision, String>> {
                if !self.is_checked.load(Ordering::Relaxed) {
                    let instance = self.checked(store)?;
                    return instance.call_evaluate(store, request);
                }
                let instance = self.policy.instance_pre().instantiate(&mut *store)?;
                let function = instance
                    .get_func(&mut *store, &self.evaluate)
                    .ok_or_else(|| wasmtime::format_err!("there is no export `evaluate`"))?;
                #[expect(
                    unsafe_code,
                    reason = "wasmtime compares all types of the contract by name otherwise, for each payment"
                )]
                // SAFETY: the function is this component's `evaluate`, and an instance of it that wasmtime checked has it with these types.
                let function = unsafe { Evaluate::new_unchecked(function) };
                let (answer,) = function.call(store, (request,))?;
                Ok(answer)
            }
        }

        /// Asks for the verdict on a payment.
        pub(in crate::contract) fn evaluate(
            linked: &Linked,
            store: &mut Store<EvaluationContext>,
            described: &DescribedPolicy,
            inputs: Inputs<'_, impl Iterator<Item = FeatureValue>>,
        ) -> wasmtime::Result<Result<Verdict, Fault>> {
            let features: Vec<types::Feature<'_>> = described
                .features
                .iter()
                .zip(inputs.features)
                .map(|((name, _), value)| types::Feature {
                    name,
                    value: feature_value(value),
                })
                .collect();
            let borrowed: Vec<Vec<&str>> = inputs
                .parameters
                .iter()
                .map(|(_, value)| texts(value))
                .collect();
            let parameters: Vec<types::ParameterParam<'_>> = inputs
                .parameters
                .iter()
                .zip(&borrowed)
                .map(|((name, value), texts)| parameter(name, value, texts))
                .collect();
            let request = types::Request {
                payment: payment(inputs.payment, described.reads),
                features: &features,
                parameters: &parameters,
            };
            Ok(match linked.call_evaluate(store, request)? {
                Ok(decision) => verdict(decision),
                Err(text) => Err(answer::refusal(text)),
            })
        }

        /// The payment with the parts that a policy reads, and no others.
        fn payment<'a>(view: &'a PaymentView<'a>, reads: PaymentParts) -> types::Payment<'a> {
            let card = view
                .card
                .as_ref()
                .filter(|_| reads.contains(PaymentPart::Card));
            let customer = view
                .customer
                .as_ref()
                .filter(|_| reads.contains(PaymentPart::Customer));
            let device = view
                .device
                .as_ref()
                .filter(|_| reads.contains(PaymentPart::Device));
            types::Payment {
                id: view.id,
                merchant_id: view.merchant_id,
                merchant_category: view.merchant_category,
                amount: money(view.amount),
                created_at: view.created_at,
                card: card.map(|card| types::Card {
                    bin: card.bin,
                    last4: card.last4,
                    fingerprint: card.fingerprint,
                    issuer_country: card.issuer_country,
                }),
                customer: customer.map(|customer| types::Customer {
                    id: customer.id,
                    email: customer.email,
                    billing_country: customer.billing_country,
                    shipping_country: customer.shipping_country,
                }),
                device: device.map(|device| types::Device {
                    id: device.id,
                    ip: device.ip,
                    ip_country: device.ip_country,
                    user_agent: device.user_agent,
                }),
                metadata: if reads.contains(PaymentPart::Metadata) {
                    &view.metadata
                } else {
                    &[]
                },
            }
        }

        const fn feature_value(value: FeatureValue) -> types::FeatureValue {
            match value {
                FeatureValue::Count(count) => types::FeatureValue::Count(count),
                FeatureValue::Amount(amount) => types::FeatureValue::Amount(amount),
                FeatureValue::Listed(listed) => types::FeatureValue::Listed(listed),
                FeatureValue::Unavailable => types::FeatureValue::Unavailable,
            }
        }

        /// The texts of a parameter, borrowed; empty (and not allocated) for other kinds.
        fn texts(value: &ParameterValue) -> Vec<&str> {
            match value {
                ParameterValue::Texts(texts) => texts.iter().map(String::as_str).collect(),
                _ => Vec::new(),
            }
        }

        fn parameter<'a>(
            name: &'a str,
            value: &'a ParameterValue,
            texts: &'a [&'a str],
        ) -> types::ParameterParam<'a> {
            let value = match value {
                ParameterValue::Integer(value) => types::ParameterValueParam::Integer(*value),
                ParameterValue::Text(value) => types::ParameterValueParam::Text(value),
                ParameterValue::Flag(value) => types::ParameterValueParam::Flag(*value),
                ParameterValue::Texts(_) => types::ParameterValueParam::Texts(texts),
            };
            types::ParameterParam { name, value }
        }

        fn described(descriptor: types::Descriptor) -> DescribedPolicy {
            DescribedPolicy {
                summary: descriptor.summary.into(),
                reads: PARTS
                    .into_iter()
                    .filter(|(flag, _)| descriptor.reads.contains(*flag))
                    .map(|(_, part)| part)
                    .collect(),
                features: descriptor
                    .features
                    .into_iter()
                    .map(|feature| (feature.name.into(), feature_spec(feature.spec)))
                    .collect(),
                parameters: descriptor
                    .parameters
                    .into_iter()
                    .map(|parameter| (parameter.name.into(), parameter_value(parameter.value)))
                    .collect(),
            }
        }

        fn parameter_value(value: types::ParameterValueResult) -> ParameterValue {
            match value {
                types::ParameterValueResult::Integer(value) => ParameterValue::Integer(value),
                types::ParameterValueResult::Text(value) => ParameterValue::Text(value),
                types::ParameterValueResult::Flag(value) => ParameterValue::Flag(value),
                types::ParameterValueResult::Texts(value) => ParameterValue::Texts(value),
            }
        }

        fn subject(subject: types::Subject) -> Subject {
            match subject {
                types::Subject::Card => Subject::Card,
                types::Subject::Customer => Subject::Customer,
                types::Subject::Email => Subject::Email,
                types::Subject::Ip => Subject::Ip,
                types::Subject::Device => Subject::Device,
                types::Subject::Merchant => Subject::Merchant,
            }
        }

        fn feature_spec(spec: types::FeatureSpec) -> FeatureSpec {
            match spec {
                types::FeatureSpec::Velocity(velocity) => FeatureSpec::Velocity {
                    subject: subject(velocity.subject),
                    measure: match velocity.measure {
                        types::VelocityMeasure::Count => VelocityMeasure::Count,
                        types::VelocityMeasure::Amount => VelocityMeasure::Amount,
                        types::VelocityMeasure::Distinct(other) => VelocityMeasure::Distinct(subject(other)),
                    },
                    filter: match velocity.filter {
                        types::PaymentFilter::Attempted => PaymentFilter::Attempted,
                        types::PaymentFilter::Approved => PaymentFilter::Approved,
                        types::PaymentFilter::Declined => PaymentFilter::Declined,
                    },
                    window_seconds: velocity.window_seconds,
                },
                types::FeatureSpec::Listed(listed) => FeatureSpec::Listed {
                    list: listed.list.into(),
                    subject: subject(listed.subject),
                },
            }
        }

        fn verdict(decision: types::Decision) -> Result<Verdict, Fault> {
            let outcome = match decision.outcome {
                types::Outcome::Approve => Outcome::Approve,
                types::Outcome::Challenge => Outcome::Challenge,
                types::Outcome::Review => Outcome::Review,
                types::Outcome::Decline => Outcome::Decline,
            };
            let reasons = decision.reasons.into_iter().map(|reason| Reason {
                code: reason.code.into(),
                message: reason.message.into(),
            });
            answer::verdict(outcome, decision.score, reasons)
        }

        impl host::Host for EvaluationContext {
            fn emit_signal(&mut self, code: String, detail: String) -> wasmtime::Result<()> {
                self.count_call()?;
                Ok(self.signal(code, detail)?)
            }

            fn log(&mut self, level: host::Level, message: String) -> wasmtime::Result<()> {
                self.count_call()?;
                let level = match level {
                    host::Level::Debug => LogLevel::Debug,
                    host::Level::Info => LogLevel::Info,
                    host::Level::Warn => LogLevel::Warn,
                    host::Level::Error => LogLevel::Error,
                };
                EvaluationContext::log(self, level, &message);
                Ok(())
            }
        }

        impl types::Host for EvaluationContext {}
    };
}

pub(super) use conversion;
