//! Types, and what is declared within them.

use wasm_encoder::{
    ComponentType, ComponentTypeRef, ComponentTypeSection, ComponentValType, CoreTypeSection, EntityType,
    FuncType, InstanceType, ModuleType, PrimitiveValType, TypeBounds,
};

use super::*;

/// A component of one section of types.
fn with_types(types: &ComponentTypeSection) -> Vec<u8> {
    let mut component = Component::new();
    component.section(types);
    component.finish()
}

fn with_component_type(ty: &ComponentType) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.component(ty);
    with_types(&types)
}

fn with_instance_type(ty: &InstanceType) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.instance(ty);
    with_types(&types)
}

#[test]
fn types_are_counted_in_modules_and_in_components() {
    let mut in_module = TypeSection::new();
    let mut in_component = ComponentTypeSection::new();
    for _ in 0..=MAX_TYPES {
        in_module.ty().function([ValType::I32], []);
        in_component.defined_type().primitive(PrimitiveValType::U8);
    }
    let mut module = Module::new();
    module.section(&in_module);
    too_many("types", &holding(&module));
    let mut component = Component::new();
    component.section(&in_component);
    too_many("types", &component.finish());
    let mut core = CoreTypeSection::new();
    for _ in 0..=MAX_TYPES {
        core.ty().core().func_type(&FuncType::new([], []));
    }
    let mut component = Component::new();
    component.section(&core);
    too_many("types", &component.finish());
}

#[test]
fn types_that_are_declared_within_types_are_counted_too() {
    let mut in_component = ComponentType::new();
    let mut in_instance = InstanceType::new();
    let mut in_both = ComponentType::new();
    for index in 0..=MAX_TYPES {
        in_component.ty().defined_type().primitive(PrimitiveValType::U8);
        in_instance.ty().defined_type().primitive(PrimitiveValType::U8);
        if index > MAX_TYPES / 2 {
            in_both.ty().defined_type().primitive(PrimitiveValType::U8);
            in_both.core_type().core().func_type(&FuncType::new([], []));
        }
    }
    too_many("types", &with_component_type(&in_component));
    too_many("types", &with_instance_type(&in_instance));
    too_many("types", &with_component_type(&in_both));

    let mut module = ModuleType::new();
    for _ in 0..=MAX_TYPES {
        module.ty().function([], []);
    }
    let mut core = CoreTypeSection::new();
    core.ty().module(&module);
    let mut component = Component::new();
    component.section(&core);
    too_many("types", &component.finish());
}

#[test]
fn imports_and_exports_that_are_declared_within_types_are_counted_too() {
    let mut exporting = InstanceType::new();
    let mut importing = ComponentType::new();
    let mut aliasing = ComponentType::new();
    let mut module = ModuleType::new();
    module.ty().function([], []);
    for index in 0..=MAX_IMPORTS_AND_EXPORTS {
        let name = format!("thing-{index}");
        let resource = ComponentTypeRef::Type(TypeBounds::SubResource);
        exporting.export(&name, resource);
        importing.import(&name, resource);
        aliasing.alias(Alias::Outer {
            kind: ComponentOuterAliasKind::Type,
            count: 1,
            index: 0,
        });
        module.import("from", &name, EntityType::Function(0));
    }
    too_many("imports and exports", &with_instance_type(&exporting));
    too_many("imports and exports", &with_component_type(&importing));
    too_many("imports and exports", &with_component_type(&aliasing));
    let mut core = CoreTypeSection::new();
    core.ty().module(&module);
    let mut component = Component::new();
    component.section(&core);
    too_many("imports and exports", &component.finish());
}

#[test]
fn fields_cases_and_parameters_are_counted() {
    /// The most that the parser takes of one type.
    const MOST: usize = 10_000;
    let names: Vec<String> = (0..MOST).map(|index| format!("name-{index}")).collect();
    let u8 = ComponentValType::Primitive(PrimitiveValType::U8);
    let mut types = ComponentTypeSection::new();
    for _ in 0..MAX_TYPE_MEMBERS / MOST / 2 {
        let fields = names.iter().map(|name| (&**name, u8));
        types.defined_type().record(fields);
        types.defined_type().enum_type(names.iter().map(|name| &**name));
    }
    assert!(count_and_validate(&with_types(&types)).is_ok());
    types.function().params([("one-more", u8)]).result(None);
    too_many("fields, cases and parameters of types", &with_types(&types));
}

/// A type within a type, so many deep, in a section: each is a component type, or instance type, of one declaration.
fn nested(depth: usize, kind: u8) -> Vec<u8> {
    let mut content = vec![1];
    for _ in 1..depth {
        content.extend([kind, 1, 1]);
    }
    content.extend([kind, 0]);
    let mut component = Component::new();
    component.section(&wasm_encoder::RawSection {
        id: 7,
        data: &content,
    });
    component.finish()
}

#[test]
fn types_within_types_have_a_depth_and_overflow_no_stack() {
    const COMPONENT: u8 = 0x41;
    const INSTANCE: u8 = 0x42;
    for kind in [COMPONENT, INSTANCE] {
        assert!(count_and_validate(&nested(MAX_NESTED_TYPES, kind)).is_ok());
        too_many("types within one another", &nested(MAX_NESTED_TYPES + 1, kind));
        // Far more than the parser's own reading of it has stack for.
        too_many("types within one another", &nested(1_000_000, kind));
    }
}

#[test]
fn types_that_end_in_the_middle_are_not_valid() {
    let whole = nested(MAX_NESTED_TYPES, 0x41);
    for removed in 1..3 * MAX_NESTED_TYPES {
        let mut cut = whole.clone();
        cut.truncate(whole.len() - removed);
        // The length of the section, which comes after the header and the section's number.
        cut[9] -= u8::try_from(removed).unwrap();
        assert!(
            matches!(count(&cut), Err(StructureError::Invalid { .. })),
            "{removed}"
        );
    }
}
