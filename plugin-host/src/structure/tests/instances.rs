//! Instances, and what they cost the validator.

use wasm_encoder::{
    Alias, CanonicalFunctionSection, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, ComponentTypeSection, ExportKind, InstanceSection, PrimitiveValType,
};

use super::*;

/// A component that exports a type under so many names.
fn exporting(exports: usize) -> Component {
    let mut types = ComponentTypeSection::new();
    types.defined_type().primitive(PrimitiveValType::U8);
    let mut names = ComponentExportSection::new();
    for index in 0..exports {
        names.export(format!("thing-{index}"), ComponentExportKind::Type, 0, None);
    }
    let mut component = Component::new();
    component.section(&types).section(&names);
    component
}

/// A component with so many instances of another.
fn instantiating(component: &Component, instances: usize) -> Vec<u8> {
    let mut section = ComponentInstanceSection::new();
    for _ in 0..instances {
        section.instantiate::<_, &str>(0, []);
    }
    let mut outer = Component::new();
    outer
        .section(&NestedComponentSection(component))
        .section(&section);
    outer.finish()
}

#[test]
fn instances_are_counted_whatever_they_are_of() {
    let half = MAX_INSTANCES / 2;
    let mut modules = InstanceSection::new();
    let mut gathered = InstanceSection::new();
    for index in 0..=half {
        modules.instantiate::<_, &str>(0, []);
        if index < half {
            gathered.export_items::<_, &str>([]);
        }
    }
    let mut component = Component::new();
    component
        .section(&ModuleSection(&Module::new()))
        .section(&modules);
    assert!(count_and_validate(&component.clone().finish()).is_ok());
    component.section(&gathered);
    too_many("instances", &component.finish());

    assert!(count_and_validate(&instantiating(&Component::new(), MAX_INSTANCES)).is_ok());
    too_many("instances", &instantiating(&Component::new(), MAX_INSTANCES + 1));
}

#[test]
fn an_instance_weighs_as_much_as_its_component_exports() {
    let exports = MAX_INSTANCE_EXPORTS / 100;
    let large = exporting(exports);
    assert!(count_and_validate(&instantiating(&large, 100)).is_ok());
    too_many("exports of instances", &instantiating(&large, 101));
}

#[test]
fn an_instance_of_an_imported_component_weighs_as_much_as_its_type_exports() {
    let mut ty = wasm_encoder::ComponentType::new();
    let exports = MAX_INSTANCE_EXPORTS / 100;
    for index in 0..exports {
        let resource = ComponentTypeRef::Type(wasm_encoder::TypeBounds::SubResource);
        ty.export(format!("thing-{index}"), resource);
    }
    let mut types = ComponentTypeSection::new();
    types.component(&ty);
    let mut imports = ComponentImportSection::new();
    imports.import("stranger", ComponentTypeRef::Component(0));
    let mut instances = ComponentInstanceSection::new();
    for _ in 0..=100 {
        instances.instantiate::<_, &str>(0, []);
    }
    let mut component = Component::new();
    component.section(&types).section(&imports).section(&instances);
    too_many("exports of instances", &component.finish());
}

#[test]
fn what_instances_are_given_and_gather_are_imports_and_exports() {
    let names: Vec<String> = (0..=MAX_IMPORTS_AND_EXPORTS)
        .map(|index| format!("thing-{index}"))
        .collect();
    let mut gathered = InstanceSection::new();
    gathered.export_items(names.iter().map(|name| (&**name, ExportKind::Func, 0)));
    let mut given = InstanceSection::new();
    given.instantiate(
        0,
        names
            .iter()
            .map(|name| (&**name, wasm_encoder::ModuleArg::Instance(0))),
    );
    for section in [gathered, given] {
        let mut component = Component::new();
        component.section(&section);
        too_many("imports and exports", &component.finish());
    }
    let mut gathered = ComponentInstanceSection::new();
    gathered.export_items(names.iter().map(|name| (&**name, ComponentExportKind::Func, 0)));
    let mut given = ComponentInstanceSection::new();
    given.instantiate(
        0,
        names.iter().map(|name| (&**name, ComponentExportKind::Func, 0)),
    );
    for section in [gathered, given] {
        let mut component = Component::new();
        component.section(&section);
        too_many("imports and exports", &component.finish());
    }
}

#[test]
fn aliases_are_counted() {
    let mut aliases = ComponentAliasSection::new();
    for _ in 0..=MAX_IMPORTS_AND_EXPORTS {
        aliases.alias(Alias::Outer {
            kind: ComponentOuterAliasKind::Type,
            count: 0,
            index: 0,
        });
    }
    let mut component = Component::new();
    component.section(&aliases);
    too_many("imports and exports", &component.finish());
}

#[test]
fn canonical_functions_are_counted() {
    let mut canonical = CanonicalFunctionSection::new();
    for _ in 0..=MAX_CANONICAL_FUNCTIONS {
        canonical.resource_drop(0);
    }
    let mut component = Component::new();
    component.section(&canonical);
    too_many("canonical functions", &component.finish());
}
