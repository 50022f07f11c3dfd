//! The types of a component and those of the contract, side by side.
//!
//! The contract leads: the walk goes where its types go, so however deep or many a stranger's types are, it takes no more
//! steps than the contract has types, and looks at no more names than the validator lets one type have.

use wasmparser::component_types::{
    ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId,
    ComponentValType, RecordType, TupleType, VariantType,
};
use wasmparser::types::TypesRef;
use wit_parser::{Function, Interface, Record, Tuple, Type, TypeDefKind, Variant};

use super::expected::Expected;
use super::surface::{is_resource, kind};
use crate::contract::mismatch::{ContractMismatch, Difference, shown};

/// One walk.
pub(super) struct Walk<'a> {
    expected: &'a Expected,
    types: TypesRef<'a>,
    path: String,
    mismatch: ContractMismatch,
}

/// A type of the component, without the names that lead to it.
enum Found<'a> {
    Primitive(wasmparser::PrimitiveValType),
    Defined(&'a ComponentDefinedType),
    /// Named by the validator and not known to it, which cannot be.
    Unknown,
}

impl<'a> Walk<'a> {
    pub(super) fn new(expected: &'a Expected, types: TypesRef<'a>) -> Self {
        Self {
            expected,
            types,
            path: String::new(),
            mismatch: ContractMismatch::default(),
        }
    }

    /// What differed on the way.
    pub(super) fn finish(self) -> ContractMismatch {
        self.mismatch
    }

    /// Notes a difference that is not one of types.
    pub(super) fn note(&mut self, difference: Difference) {
        self.mismatch.push(difference);
    }

    /// An interface of the contract that the component imports: it may have some of the functions, and no others. Types
    /// count where functions speak of them.
    pub(super) fn interface(&mut self, name: &str, expected: &'a Interface, found: ComponentInstanceTypeId) {
        let Some(found) = self.types.get(found) else {
            return self.differ("expected an interface, found what is none");
        };
        self.at(name, |walk| {
            for (name, item) in &found.exports {
                let function = expected.functions.get(name);
                match (item.ty, function) {
                    (ComponentEntityType::Func(found), Some(function)) => {
                        walk.at(&format!(".{name}"), |walk| walk.signature(function, found));
                    }
                    (ComponentEntityType::Type { referenced, .. }, _) if !is_resource(referenced) => {}
                    (other, _) => walk.at(&format!(".{}", shown(name)), |walk| {
                        walk.differ(format!("expected nothing of this name, found {}", kind(&other)));
                    }),
                }
            }
        });
    }

    /// A function that the component exports.
    pub(super) fn function(&mut self, name: &str, expected: &'a Function, found: ComponentFuncTypeId) {
        self.at(name, |walk| walk.signature(expected, found));
    }

    /// Parameters go by their order: what they are called matters to nobody.
    fn signature(&mut self, expected: &'a Function, found: ComponentFuncTypeId) {
        let Some(found) = self.types.get(found) else {
            return self.differ("expected a function, found what is none");
        };
        if found.async_ {
            self.differ("expected func, found async func");
        }
        if expected.params.len() != found.params.len() {
            self.differ(format!(
                "expected {} parameters, found {}",
                expected.params.len(),
                found.params.len()
            ));
        }
        for (parameter, (_, found)) in expected.params.iter().zip(&found.params) {
            self.at(&format!(".{}", parameter.name), |walk| {
                walk.value(&parameter.ty, *found)
            });
        }
        self.at(".result", |walk| {
            walk.optional(expected.result.as_ref(), found.result)
        });
    }

    fn optional(&mut self, expected: Option<&'a Type>, found: Option<ComponentValType>) {
        match (expected, found) {
            (Some(expected), Some(found)) => self.value(expected, found),
            (Some(expected), None) => {
                self.differ(format!("expected {}, found nothing", self.named(expected)))
            }
            (None, Some(found)) => {
                let found = self.found(found).kind();
                self.differ(format!("expected nothing, found {found}"));
            }
            (None, None) => {}
        }
    }

    fn value(&mut self, expected: &'a Type, found: ComponentValType) {
        let found = self.found(found);
        let Some(kind) = self.definition(expected) else {
            // The contract's primitive types and the validator's are written alike.
            if !matches!(found, Found::Primitive(found) if found.to_string() == self.named(expected)) {
                self.other(expected, &found);
            }
            return;
        };
        let Found::Defined(defined) = found else {
            return self.other(expected, &found);
        };
        match (kind, defined) {
            (TypeDefKind::Record(expected), ComponentDefinedType::Record(found)) => {
                self.record(expected, found)
            }
            (TypeDefKind::Variant(expected), ComponentDefinedType::Variant(found)) => {
                self.variant(expected, found)
            }
            (TypeDefKind::Tuple(expected), ComponentDefinedType::Tuple(found)) => self.tuple(expected, found),
            (TypeDefKind::Enum(expected), ComponentDefinedType::Enum(found)) => {
                let names = expected.cases.iter().map(|case| &*case.name);
                self.names("case", names, found.iter().map(|name| name.as_str()));
            }
            (TypeDefKind::Flags(expected), ComponentDefinedType::Flags(found)) => {
                let names = expected.flags.iter().map(|flag| &*flag.name);
                self.names("flag", names, found.iter().map(|name| name.as_str()));
            }
            (TypeDefKind::Option(expected), ComponentDefinedType::Option { ty: found, .. }) => {
                self.value(expected, *found);
            }
            (TypeDefKind::List(expected), ComponentDefinedType::List { element: found, .. }) => {
                self.at("[]", |walk| walk.value(expected, *found));
            }
            (TypeDefKind::Result(expected), ComponentDefinedType::Result { ok, err, .. }) => {
                self.at(".ok", |walk| walk.optional(expected.ok.as_ref(), *ok));
                self.at(".err", |walk| walk.optional(expected.err.as_ref(), *err));
            }
            // A kind that the contract comes to use is refused until it is written here.
            _ => self.other(expected, &found),
        }
    }

    fn record(&mut self, expected: &'a Record, found: &RecordType) {
        let names = expected.fields.iter().map(|field| &*field.name);
        self.names("field", names, found.fields.keys().map(|name| name.as_str()));
        for field in &expected.fields {
            let same = found.fields.iter().find(|(name, _)| name.as_str() == field.name);
            if let Some((_, found)) = same {
                self.at(&format!(".{}", field.name), |walk| walk.value(&field.ty, *found));
            }
        }
    }

    fn variant(&mut self, expected: &'a Variant, found: &VariantType) {
        let names = expected.cases.iter().map(|case| &*case.name);
        self.names("case", names, found.cases.keys().map(|name| name.as_str()));
        for case in &expected.cases {
            let same = found.cases.iter().find(|(name, _)| name.as_str() == case.name);
            if let Some((_, found)) = same {
                self.at(&format!(".{}", case.name), |walk| {
                    walk.optional(case.ty.as_ref(), found.ty)
                });
            }
        }
    }

    fn tuple(&mut self, expected: &'a Tuple, found: &TupleType) {
        let (types, others) = (&expected.types, &found.types);
        if types.len() != others.len() {
            self.differ(format!(
                "expected a tuple of {}, found one of {}",
                types.len(),
                others.len()
            ));
        }
        for (index, (expected, found)) in types.iter().zip(others).enumerate() {
            self.at(&format!(".{index}"), |walk| walk.value(expected, *found));
        }
    }

    /// The names of fields, cases or flags, whose order counts.
    fn names<'n>(
        &mut self,
        what: &str,
        expected: impl Iterator<Item = &'n str>,
        found: impl Iterator<Item = &'n str>,
    ) {
        let (expected, found): (Vec<&str>, Vec<&str>) = (expected.collect(), found.collect());
        if expected == found {
            return;
        }
        let mut moved = true;
        for (index, name) in expected.iter().enumerate() {
            if found.contains(name) {
                continue;
            }
            moved = false;
            // Another name in its place is most likely the same thing renamed.
            match found.get(index).filter(|other| !expected.contains(*other)) {
                Some(other) if expected.len() == found.len() => self.place(what, index, name, other),
                _ => self.at(&format!(".{name}"), |walk| walk.differ("missing")),
            }
        }
        for (index, name) in found.iter().enumerate() {
            let replaces = expected.len() == found.len()
                && expected
                    .get(index)
                    .is_some_and(|replaced| !found.contains(replaced));
            if !expected.contains(name) {
                moved = false;
                if !replaces {
                    self.at(&format!(".{}", shown(name)), |walk| {
                        walk.differ(format!("expected no such {what}"));
                    });
                }
            }
        }
        if moved {
            let pairs = expected.iter().zip(&found).enumerate();
            if let Some((index, (name, other))) = pairs.into_iter().find(|(_, (a, b))| a != b) {
                self.place(what, index, name, other);
            }
        }
    }

    fn place(&mut self, what: &str, index: usize, expected: &str, found: &str) {
        self.at(&format!(" {what} {}", index + 1), |walk| {
            walk.differ(format!("expected `{expected}`, found `{}`", shown(found)));
        });
    }

    /// Notes that a type is of another kind.
    fn other(&mut self, expected: &Type, found: &Found<'_>) {
        self.differ(format!(
            "expected {}, found {}",
            self.named(expected),
            found.kind()
        ));
    }

    fn differ(&mut self, message: impl Into<String>) {
        self.mismatch.push(Difference::Type {
            contract: self.expected.version(),
            path: self.path.clone(),
            message: message.into(),
        });
    }

    /// Goes a step further, and back.
    fn at(&mut self, step: &str, then: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        then(self);
        self.path.truncate(length);
    }

    fn found(&self, found: ComponentValType) -> Found<'a> {
        match found {
            ComponentValType::Primitive(primitive) => Found::Primitive(primitive),
            ComponentValType::Type(id) => match self.types.get(id) {
                Some(ComponentDefinedType::Primitive(primitive)) => Found::Primitive(*primitive),
                Some(defined) => Found::Defined(defined),
                None => Found::Unknown,
            },
        }
    }

    /// What a type of the contract is made of, through the names that stand for others; none where it is primitive.
    fn definition(&self, ty: &Type) -> Option<&'a TypeDefKind> {
        let mut ty = *ty;
        loop {
            let Type::Id(id) = ty else { return None };
            match &self.expected.resolve().types.get(id)?.kind {
                TypeDefKind::Type(other) => ty = *other,
                kind => return Some(kind),
            }
        }
    }

    /// A type of the contract, for people: `record money`, `s64`, `list`.
    fn named(&self, ty: &Type) -> String {
        let mut ty = *ty;
        loop {
            let id = match ty {
                Type::Id(id) => id,
                primitive => return primitive_name(primitive).to_owned(),
            };
            let Some(definition) = self.expected.resolve().types.get(id) else {
                return "unknown".to_owned();
            };
            match (&definition.kind, &definition.name) {
                (TypeDefKind::Type(other), _) => ty = *other,
                (kind, Some(name)) => return format!("{} {name}", kind.as_str()),
                (kind, None) => return kind.as_str().to_owned(),
            }
        }
    }
}

impl Found<'_> {
    fn kind(&self) -> String {
        let kind = match self {
            Self::Primitive(primitive) => return primitive.to_string(),
            Self::Unknown => "unknown",
            Self::Defined(defined) => match defined {
                ComponentDefinedType::Primitive(primitive) => return primitive.to_string(),
                ComponentDefinedType::Record(_) => "record",
                ComponentDefinedType::Variant(_) => "variant",
                ComponentDefinedType::List { .. } => "list",
                ComponentDefinedType::Map { .. } => "map",
                ComponentDefinedType::FixedLengthList { .. } => "fixed-length list",
                ComponentDefinedType::Tuple(_) => "tuple",
                ComponentDefinedType::Flags(_) => "flags",
                ComponentDefinedType::Enum(_) => "enum",
                ComponentDefinedType::Option { .. } => "option",
                ComponentDefinedType::Result { .. } => "result",
                ComponentDefinedType::Own(_) => "own",
                ComponentDefinedType::Borrow(_) => "borrow",
                ComponentDefinedType::Future { .. } => "future",
                ComponentDefinedType::Stream { .. } => "stream",
            },
        };
        kind.to_owned()
    }
}

const fn primitive_name(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => "",
    }
}
