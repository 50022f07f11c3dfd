//! A policy that was linked once, for the version of the contract that its component was built for.

use domain::feature::FeatureValue;
use domain::risk::{Fault, Verdict};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use super::answer::DescribedPolicy;
use super::request::Inputs;
use super::version::ContractVersion;
use super::{v0_1, v0_2};
use crate::sandbox::EvaluationContext;
use crate::virtual_wasi;

/// The pre-linked type of one of the versions.
pub(crate) enum LinkedPolicy {
    /// Built for 0.1.
    V0_1(v0_1::Linked),
    /// Built for 0.2.
    V0_2(v0_2::Linked),
}

impl LinkedPolicy {
    /// Links a component to the host of this version and to the virtual WASI.
    pub(crate) fn link(
        engine: &Engine,
        component: &Component,
        version: ContractVersion,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<EvaluationContext>::new(engine);
        virtual_wasi::link(&mut linker, component)?;
        match version {
            ContractVersion::V0_1 => v0_1::link(linker, component).map(Self::V0_1),
            ContractVersion::V0_2 => v0_2::link(linker, component).map(Self::V0_2),
        }
    }

    /// The version that the component was built for.
    pub(crate) const fn version(&self) -> ContractVersion {
        match self {
            Self::V0_1(_) => ContractVersion::V0_1,
            Self::V0_2(_) => ContractVersion::V0_2,
        }
    }

    /// The engine that it was compiled by.
    pub(crate) fn engine(&self) -> &Engine {
        match self {
            Self::V0_1(policy) => policy.engine(),
            Self::V0_2(policy) => policy.engine(),
        }
    }

    /// Makes an instance, and asks it what the policy says of itself.
    pub(crate) fn describe(&self, store: &mut Store<EvaluationContext>) -> wasmtime::Result<DescribedPolicy> {
        match self {
            Self::V0_1(policy) => v0_1::describe(policy, store),
            Self::V0_2(policy) => v0_2::describe(policy, store),
        }
    }

    /// Makes an instance, and asks it for the verdict on a payment.
    pub(crate) fn evaluate(
        &self,
        store: &mut Store<EvaluationContext>,
        described: &DescribedPolicy,
        inputs: Inputs<'_, impl Iterator<Item = FeatureValue>>,
    ) -> wasmtime::Result<Result<Verdict, Fault>> {
        match self {
            Self::V0_1(policy) => v0_1::evaluate(policy, store, described, inputs),
            Self::V0_2(policy) => v0_2::evaluate(policy, store, described, inputs),
        }
    }

    /// Makes an instance and leaves it in the store.
    #[cfg(test)]
    pub(crate) fn instantiate(&self, store: &mut Store<EvaluationContext>) -> wasmtime::Result<()> {
        match self {
            Self::V0_1(policy) => policy.instantiate(store),
            Self::V0_2(policy) => policy.instantiate(store),
        }
    }
}
