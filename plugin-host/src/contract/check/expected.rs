//! The types of a version of the contract, read from its text once.

use std::sync::LazyLock;

use wit_parser::{Function, Interface, Resolve, World, WorldItem};

use crate::contract::version::ContractVersion;

/// The world that a policy is.
const WORLD: &str = "risk-policy";

/// One version's types.
pub(super) struct Expected {
    version: ContractVersion,
    resolve: Resolve,
    world: World,
}

impl Expected {
    /// Those of this version.
    pub(super) fn of(version: ContractVersion) -> &'static Self {
        static V0_1: LazyLock<Expected> = LazyLock::new(|| Expected::parse(ContractVersion::V0_1));
        static V0_2: LazyLock<Expected> = LazyLock::new(|| Expected::parse(ContractVersion::V0_2));
        match version {
            ContractVersion::V0_1 => &V0_1,
            ContractVersion::V0_2 => &V0_2,
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "the text is compiled in, and the bindings are made of it when the gateway is built"
    )]
    fn parse(version: ContractVersion) -> Self {
        let mut resolve = Resolve::default();
        let world = resolve
            .push_source("risk-policy.wit", version.wit())
            .and_then(|package| resolve.select_world(&[package], Some(WORLD)))
            .expect("the contract can be read");
        let world = resolve
            .worlds
            .get(world)
            .cloned()
            .expect("the contract has its world");
        Self {
            version,
            resolve,
            world,
        }
    }

    /// Which version it is.
    pub(super) const fn version(&self) -> ContractVersion {
        self.version
    }

    /// The types that the functions speak of.
    pub(super) const fn resolve(&self) -> &Resolve {
        &self.resolve
    }

    /// The functions that a policy exports.
    pub(super) fn exports(&self) -> impl Iterator<Item = &Function> {
        self.world.exports.values().filter_map(|item| match item {
            WorldItem::Function(function) => Some(function),
            WorldItem::Interface { .. } | WorldItem::Type { .. } => None,
        })
    }

    /// The interface of this name that a policy may import.
    pub(super) fn interface(&self, name: &str) -> Option<&Interface> {
        let interfaces = self.world.imports.values().filter_map(|item| match item {
            WorldItem::Interface { id, .. } => self.resolve.interfaces.get(*id),
            WorldItem::Function(_) | WorldItem::Type { .. } => None,
        });
        let mut named = interfaces.filter(|interface| interface.name.as_deref() == Some(name));
        named.next()
    }
}
