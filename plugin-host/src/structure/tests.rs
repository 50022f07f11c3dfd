//! What is too much, and what is not valid.

mod instances;
mod types;

use wasm_encoder::{
    Alias, CodeSection, Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentImportSection, ComponentOuterAliasKind, ComponentSection, ComponentTypeRef,
    ComponentTypeSection, ComponentValType, ConstExpr, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, HeapType, ImportSection,
    Instruction, MemorySection, MemoryType, Module, ModuleSection, NestedComponentSection, RefType,
    TypeSection, ValType,
};

use super::*;
use crate::testing::Guest;

/// Both, as a compiler's process does.
fn count_and_validate(component: &[u8]) -> Result<Types, StructureError> {
    count(component).and_then(|()| validate(component))
}

#[track_caller]
fn too_many(what: &'static str, component: &[u8]) {
    match count(component) {
        Err(StructureError::TooMany {
            what: found_what,
            found,
            max,
            ..
        }) => {
            assert_eq!(found_what, what);
            assert!(found > max);
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what}: taken"),
    }
}

fn holding(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    component.finish()
}

/// A module of so many functions, each with this body.
fn functions(count: u32, body: &[Instruction<'_>]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut declared = FunctionSection::new();
    let mut code = CodeSection::new();
    for _ in 0..count {
        declared.function(0);
        let mut function = Function::new([]);
        for instruction in body {
            function.instruction(instruction);
        }
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    holding(&module)
}

#[test]
fn a_policy_of_the_tests_is_taken() {
    assert!(count_and_validate(&Guest::new().component()).is_ok());
}

#[test]
fn bytes_that_end_in_the_middle_are_not_valid() {
    let component = Guest::new().component();
    for length in [0, 3, 7, component.len() / 2, component.len() - 1] {
        assert!(
            matches!(
                count_and_validate(&component[..length]),
                Err(StructureError::Invalid { .. })
            ),
            "{length}"
        );
    }
}

#[test]
fn functions_are_counted_over_the_whole_component_and_measured_each() {
    let body = [Instruction::End];
    assert!(count_and_validate(&functions(1_000, &body)).is_ok());
    let most = u32::try_from(MAX_FUNCTIONS).unwrap();
    too_many("functions", &functions(most + 1, &body));

    let mut long = vec![Instruction::Nop; MAX_FUNCTION_BYTES];
    long.push(Instruction::End);
    too_many("bytes in one function", &functions(1, &long));
}

#[test]
fn blocks_within_blocks_have_a_depth() {
    let nested = |depth: usize| {
        let mut body = vec![Instruction::Block(wasm_encoder::BlockType::Empty); depth];
        body.extend(vec![Instruction::End; depth + 1]);
        functions(1, &body)
    };
    assert!(count_and_validate(&nested(MAX_BLOCK_DEPTH)).is_ok());
    too_many("blocks within one another", &nested(MAX_BLOCK_DEPTH + 1));
}

#[test]
fn the_place_of_a_function_is_named() {
    let body = vec![Instruction::Block(wasm_encoder::BlockType::Empty); MAX_BLOCK_DEPTH + 1];
    let text = count(&functions(1, &body)).unwrap_err().to_string();
    assert!(text.contains("in the function at offset 0x"), "{text}");
    assert!(text.contains("expected at most 4096"), "{text}");
}

#[test]
fn components_within_components_have_a_depth_and_a_number() {
    let mut component = Component::new();
    for _ in 0..MAX_NESTED_COMPONENTS {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&component));
        component = outer;
    }
    too_many("components within one another", &component.finish());

    let mut many = Component::new();
    for _ in 0..=MAX_COMPONENTS {
        many.section(&NestedComponentSection(&Component::new()));
    }
    too_many("nested components", &many.finish());

    let mut modules = Component::new();
    for _ in 0..=MAX_MODULES {
        modules.section(&ModuleSection(&Module::new()));
    }
    too_many("core modules", &modules.finish());
}

#[test]
fn globals_and_segments_are_counted() {
    let mut globals = GlobalSection::new();
    for _ in 0..=MAX_GLOBALS {
        let global = GlobalType {
            val_type: ValType::I32,
            mutable: false,
            shared: false,
        };
        globals.global(global, &ConstExpr::i32_const(0));
    }
    let mut module = Module::new();
    module.section(&globals);
    too_many("globals", &holding(&module));

    let mut data = DataSection::new();
    for _ in 0..=MAX_SEGMENTS {
        data.passive([]);
    }
    let mut module = Module::new();
    module.section(&data);
    too_many("data and element segments", &holding(&module));
}

/// A module with segments of table elements that are only there, of so many entries each.
fn element_segments(entries: &[u32]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut elements = ElementSection::new();
    for entries in entries {
        let entries = vec![0; usize::try_from(*entries).unwrap()];
        elements.passive(Elements::Functions(entries.into()));
    }
    let mut body = Function::new([]);
    body.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&body);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&elements)
        .section(&code);
    holding(&module)
}

#[test]
fn entries_of_element_segments_are_counted_over_all_segments() {
    let most = u32::try_from(MAX_ELEMENT_ENTRIES).unwrap();
    assert!(count_and_validate(&element_segments(&[most / 2, most / 2])).is_ok());
    too_many(
        "entries of element segments",
        &element_segments(&[most / 2, most / 2, 1]),
    );
    let mut expressions = ElementSection::new();
    let null = vec![ConstExpr::ref_null(HeapType::FUNC); MAX_ELEMENT_ENTRIES + 1];
    expressions.passive(Elements::Expressions(RefType::FUNCREF, null.into()));
    let mut module = Module::new();
    module.section(&expressions);
    too_many("entries of element segments", &holding(&module));
}

#[test]
fn memories_beyond_what_policies_may_have_are_not_valid() {
    for (count, memory64) in [(2, false), (1, true)] {
        let mut memories = MemorySection::new();
        for _ in 0..count {
            memories.memory(MemoryType {
                minimum: 1,
                maximum: None,
                memory64,
                shared: false,
                page_size_log2: None,
            });
        }
        let mut module = Module::new();
        module.section(&memories);
        assert!(matches!(
            count_and_validate(&holding(&module)),
            Err(StructureError::Invalid { .. })
        ));
    }
}

/// A component of this section, behind one with the type of a function.
fn component_of(section: &impl ComponentSection) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.function().params::<_, ComponentValType>([]).result(None);
    let mut component = Component::new();
    component.section(&types).section(section);
    component.finish()
}

/// Components with so many imports or exports, of a module or of their own.
fn names(count: usize) -> [Vec<u8>; 5] {
    let name = |index: usize| format!("n{index}");
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    let mut exports = ExportSection::new();
    let mut imported = ComponentImportSection::new();
    let mut exported = ComponentExportSection::new();
    let mut aliases = ComponentAliasSection::new();
    for index in 0..count {
        imports.import("", &name(index), EntityType::Function(0));
        exports.export(&name(index), ExportKind::Func, 0);
        imported.import(&*name(index), ComponentTypeRef::Func(0));
        exported.export(&*name(index), ComponentExportKind::Type, 0, None);
        aliases.alias(Alias::Outer {
            kind: ComponentOuterAliasKind::Type,
            count: 0,
            index: 0,
        });
    }
    let mut importing = Module::new();
    importing.section(&types).section(&imports);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut code = CodeSection::new();
    code.function(Function::new([]).instruction(&Instruction::End));
    let mut exporting = Module::new();
    exporting
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&code);
    [
        holding(&importing),
        holding(&exporting),
        component_of(&imported),
        component_of(&exported),
        component_of(&aliases),
    ]
}

#[test]
fn imports_and_exports_are_counted_in_modules_and_in_components() {
    for component in names(100) {
        assert!(
            validate(&component).is_ok(),
            "{:?}",
            validate(&component).map(drop)
        );
    }
    for component in names(MAX_IMPORTS_AND_EXPORTS + 1) {
        too_many("imports and exports", &component);
    }
}
