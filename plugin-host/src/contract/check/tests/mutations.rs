//! The contract with one thing changed at a time: the check names it by its path, and takes nothing that would not link.

use wasmtime::component::Component;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{
    Case, EnumCase, Field, Flag, LiftLowerAbi, ManglingAndAbi, Param, Record, Resolve, Type, TypeDefKind,
    TypeId, Variant, WorldId, WorldItem,
};

use super::*;
use crate::contract::linked::LinkedPolicy;
use crate::testing::engine;

fn contract(version: ContractVersion) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("risk-policy.wit", version.wit()).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    (resolve, world)
}

/// A component of a world that does nothing.
fn dummy(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .unwrap()
}

/// Whether the engine links a component as this version.
pub(super) fn linked(component: &[u8], version: ContractVersion) -> Result<(), String> {
    let compiled = Component::from_binary(engine().wasmtime(), component).unwrap();
    let linked = LinkedPolicy::link(engine().wasmtime(), &compiled, version);
    linked.map(|_| ()).map_err(|error| format!("{error:#}"))
}

/// A component of this version that imports nothing: its types are its own.
pub(super) fn inlined(version: ContractVersion) -> Vec<u8> {
    let text = version.wit();
    let (types, world) = (
        text.find("interface types {").unwrap(),
        text.find("interface host {").unwrap(),
    );
    let types = text[types..world].trim_start_matches("interface types {");
    let types = types
        .trim_end()
        .trim_end_matches("/// What a policy may call while it runs.")
        .trim_end();
    let types = types.trim_end_matches('}');
    let world = format!(
        "package tests:inlined; world policy {{ {types}
            export describe: func() -> descriptor;
            export evaluate: func(request: request) -> result<decision, string>; }}"
    );
    let mut resolve = Resolve::default();
    let package = resolve.push_source("inlined.wit", &world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    dummy(&resolve, world)
}

/// Each type that a function of the contract speaks of, with the first path that leads to it.
fn paths(resolve: &Resolve, world: WorldId) -> Vec<(String, TypeId)> {
    let mut found = Vec::new();
    let world = &resolve.worlds[world];
    for item in world.exports.values() {
        let WorldItem::Function(function) = item else {
            continue;
        };
        for parameter in &function.params {
            visit(
                resolve,
                parameter.ty,
                format!("{}.{}", function.name, parameter.name),
                &mut found,
            );
        }
        let result = function.result.unwrap();
        visit(resolve, result, format!("{}.result", function.name), &mut found);
    }
    for item in world.imports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        for function in interface.functions.values() {
            let name = format!("{}.{}", interface.name.as_deref().unwrap(), function.name);
            for parameter in &function.params {
                visit(
                    resolve,
                    parameter.ty,
                    format!("{name}.{}", parameter.name),
                    &mut found,
                );
            }
        }
    }
    found
}

fn visit(resolve: &Resolve, ty: Type, path: String, found: &mut Vec<(String, TypeId)>) {
    let Type::Id(id) = ty else { return };
    let kind = &resolve.types[id].kind;
    if let TypeDefKind::Type(other @ Type::Id(_)) = kind {
        return visit(resolve, *other, path, found);
    }
    if found.iter().any(|(_, known)| *known == id) {
        return;
    }
    found.push((path.clone(), id));
    let mut next = |ty: Type, path: String| visit(resolve, ty, path, found);
    match kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .for_each(|field| next(field.ty, format!("{path}.{}", field.name))),
        TypeDefKind::Variant(variant) => {
            for case in &variant.cases {
                if let Some(ty) = case.ty {
                    next(ty, format!("{path}.{}", case.name));
                }
            }
        }
        TypeDefKind::Option(ty) => next(*ty, path),
        TypeDefKind::List(ty) => next(*ty, format!("{path}[]")),
        TypeDefKind::Tuple(tuple) => tuple
            .types
            .iter()
            .enumerate()
            .for_each(|(index, ty)| next(*ty, format!("{path}.{index}"))),
        TypeDefKind::Result(result) => {
            next(result.ok.unwrap(), format!("{path}.ok"));
            next(result.err.unwrap(), format!("{path}.err"));
        }
        _ => {}
    }
}

/// What becomes of a list of named things, and how it is told: one renamed, gone, added, or moved.
fn of_names<T: Clone>(
    path: &str,
    what: &str,
    items: &[T],
    name: impl Fn(&T) -> &str,
    renamed: impl Fn(&T, &str) -> T,
) -> Vec<(Vec<T>, String)> {
    let mut changed = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let (number, old) = (index + 1, name(item));
        let mut other = items.to_vec();
        other[index] = renamed(item, "strange");
        changed.push((
            other,
            format!("{path} {what} {number}: expected `{old}`, found `strange`"),
        ));
        let mut fewer = items.to_vec();
        fewer.remove(index);
        if !fewer.is_empty() {
            changed.push((fewer, format!("{path}.{old}: missing")));
        }
        if let Some(next) = items.get(index + 1) {
            let mut moved = items.to_vec();
            moved.swap(index, index + 1);
            changed.push((
                moved,
                format!("{path} {what} {number}: expected `{old}`, found `{}`", name(next)),
            ));
        }
    }
    let mut more = items.to_vec();
    more.push(renamed(&items[0], "surplus"));
    changed.push((more, format!("{path}.surplus: expected no such {what}")));
    changed
}

/// A primitive type that is another one.
fn other_than(ty: Type) -> Type {
    if ty == Type::U8 { Type::S16 } else { Type::U8 }
}

fn of_record(path: &str, record: &Record) -> Vec<(TypeDefKind, String)> {
    let renamed = |field: &Field, name: &str| Field {
        name: name.to_owned(),
        ..field.clone()
    };
    let mut all = of_names(path, "field", &record.fields, |field| &field.name, renamed);
    for (index, field) in record.fields.iter().enumerate() {
        let mut fields = record.fields.clone();
        fields[index].ty = other_than(field.ty);
        all.push((fields, format!("{path}.{}: expected ", field.name)));
    }
    all.into_iter()
        .map(|(fields, told)| (TypeDefKind::Record(Record { fields }), told))
        .collect()
}

fn of_variant(path: &str, variant: &Variant) -> Vec<(TypeDefKind, String)> {
    let renamed = |case: &Case, name: &str| Case {
        name: name.to_owned(),
        ..case.clone()
    };
    let mut all = of_names(path, "case", &variant.cases, |case| &case.name, renamed);
    for (index, case) in variant.cases.iter().enumerate() {
        let mut cases = variant.cases.clone();
        cases[index].ty = case.ty.is_none().then_some(Type::U8);
        all.push((cases, format!("{path}.{}: expected ", case.name)));
    }
    all.into_iter()
        .map(|(cases, told)| (TypeDefKind::Variant(Variant { cases }), told))
        .collect()
}

/// What can become of a type, and how it is told.
fn mutations(path: &str, kind: &TypeDefKind) -> Vec<(TypeDefKind, String)> {
    match kind {
        TypeDefKind::Record(record) => of_record(path, record),
        TypeDefKind::Variant(variant) => of_variant(path, variant),
        TypeDefKind::Enum(of) => {
            let renamed = |case: &EnumCase, name: &str| EnumCase {
                name: name.to_owned(),
                ..case.clone()
            };
            of_names(path, "case", &of.cases, |case| &case.name, renamed)
                .into_iter()
                .map(|(cases, told)| (TypeDefKind::Enum(wit_parser::Enum { cases }), told))
                .collect()
        }
        TypeDefKind::Flags(of) => {
            let renamed = |flag: &Flag, name: &str| Flag {
                name: name.to_owned(),
                ..flag.clone()
            };
            of_names(path, "flag", &of.flags, |flag| &flag.name, renamed)
                .into_iter()
                .map(|(flags, told)| (TypeDefKind::Flags(wit_parser::Flags { flags }), told))
                .collect()
        }
        TypeDefKind::Option(ty) => vec![(
            TypeDefKind::List(*ty),
            format!("{path}: expected option, found list"),
        )],
        TypeDefKind::List(ty) => vec![(
            TypeDefKind::Option(*ty),
            format!("{path}: expected list, found option"),
        )],
        TypeDefKind::Tuple(tuple) => {
            let mut types = tuple.types.clone();
            types.push(Type::U8);
            let (count, more) = (tuple.types.len(), types.len());
            let told = format!("{path}: expected a tuple of {count}, found one of {more}");
            vec![(TypeDefKind::Tuple(wit_parser::Tuple { types }), told)]
        }
        TypeDefKind::Result(result) => {
            let result = wit_parser::Result_ {
                err: None,
                ..result.clone()
            };
            vec![(
                TypeDefKind::Result(result),
                format!("{path}.err: expected string, found nothing"),
            )]
        }
        TypeDefKind::Type(primitive) => {
            let told = format!("{path}: expected u64, found u8");
            vec![(TypeDefKind::Type(other_than(*primitive)), told)]
        }
        other => panic!(
            "the contract has a {} now; say what can become of it",
            other.as_str()
        ),
    }
}

#[test]
fn every_change_of_a_type_is_told_by_its_path_and_would_not_link() {
    for version in ContractVersion::ALL {
        let (resolve, world) = contract(version);
        let component = dummy(&resolve, world);
        assert_eq!(checked(&component), Ok(version));
        assert_eq!(linked(&component, version), Ok(()));
        let paths = paths(&resolve, world);
        let known = |path: &str| paths.iter().filter(|(known, _)| known == path).count();
        // The option, and the record in it.
        assert_eq!(known("evaluate.request.payment.card"), 2, "{paths:?}");
        let mut tried = 0;
        for (path, id) in paths {
            for (kind, told) in mutations(&path, &resolve.types[id].kind) {
                let mut changed = resolve.clone();
                changed.types[id].kind = kind;
                let component = dummy(&changed, world);
                let error = checked(&component).expect_err(&told).to_string();
                assert!(error.contains(&told), "expected `{told}` in `{error}`");
                assert!(linked(&component, version).is_err(), "links all the same: {told}");
                tried += 1;
            }
        }
        assert!(tried > 150, "{tried}");
    }
}

#[test]
fn every_change_of_a_function_is_told_by_its_path() {
    let version = ContractVersion::LATEST;
    let (resolve, world) = contract(version);
    let parameter = |name: &str| Param {
        name: name.to_owned(),
        ty: Type::Bool,
        span: wit_parser::Span::default(),
    };
    type Change = fn(&mut wit_parser::Function, Param);
    let changes: [(Change, &str); 4] = [
        (|function, more| function.params.push(more), " parameters, found "),
        (
            |function, _| function.result = function.result.is_none().then_some(Type::Bool),
            ".result: expected ",
        ),
        (|function, other| function.params = vec![other], ": expected "),
        (|function, _| function.params.clear(), ": expected "),
    ];
    for (change, told) in changes {
        for name in ["describe", "evaluate", "emit-signal", "log"] {
            let mut changed = resolve.clone();
            let interface = changed
                .interfaces
                .iter()
                .find(|(_, i)| i.functions.contains_key(name))
                .map(|(id, _)| id);
            let function = match interface {
                Some(id) => changed.interfaces[id].functions.get_mut(name).unwrap(),
                None => {
                    let mut items = changed.worlds[world].exports.values_mut();
                    let function = items.find_map(|item| match item {
                        WorldItem::Function(function) if function.name == name => Some(function),
                        _ => None,
                    });
                    function.unwrap()
                }
            };
            let before = function.clone();
            change(function, parameter("strange"));
            if (&before.params, &before.result) == (&function.params, &function.result) {
                continue;
            }
            let component = dummy(&changed, world);
            let error = checked(&component).expect_err(name).to_string();
            assert!(
                error.contains(name) && error.contains(told),
                "{name}: expected `{told}` in `{error}`"
            );
            assert!(
                linked(&component, version).is_err(),
                "links all the same: {error}"
            );
        }
    }
}

#[test]
fn what_a_parameter_is_called_and_functions_that_are_not_imported_matter_to_nobody() {
    let version = ContractVersion::LATEST;
    let (mut resolve, world) = contract(version);
    for item in resolve.worlds[world].exports.values_mut() {
        if let WorldItem::Function(function) = item {
            for parameter in &mut function.params {
                parameter.name = "strange".to_owned();
            }
        }
    }
    for (_, interface) in &mut resolve.interfaces {
        interface.functions.shift_remove("log");
    }
    let component = dummy(&resolve, world);
    assert_eq!(checked(&component), Ok(version));
    assert_eq!(linked(&component, version), Ok(()));
}
