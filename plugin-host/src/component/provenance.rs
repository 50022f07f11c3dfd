//! Who made an artifact, as its tools say of themselves, and whether its functions have names. Nothing here is checked: it is
//! for people to read.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{KnownCustom, Name, Parser, Payload, ProducersSectionReader};

/// Tools kept of a field, of which the convention has three (language, processed-by, sdk) and the parser takes no other. Toolchains name two or three for each module.
const MAX_TOOLS: usize = 32;

/// Versions kept of a tool.
const MAX_VERSIONS: usize = 8;

/// Bytes kept of a name or a version.
const MAX_TEXT_BYTES: usize = 120;

/// What an artifact tells of how it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The producers sections of the component and of all that is nested in it, merged: field, tool, versions.
    pub producers: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Whether the module with the most code names its functions, so that a backtrace names them too.
    pub has_function_names: bool,
}

/// A module or component that is being read.
#[derive(Default)]
struct Open {
    code_bytes: u32,
    has_function_names: bool,
}

impl Provenance {
    /// Reads what there is, up to the first byte that makes no sense.
    #[must_use]
    pub fn read(artifact: &[u8]) -> Self {
        let mut provenance = Self::default();
        let mut open: Vec<Open> = Vec::new();
        let mut most_code = 0;
        for payload in Parser::new(0).parse_all(artifact) {
            let Ok(payload) = payload else { break };
            match payload {
                Payload::Version { .. } => open.push(Open::default()),
                Payload::CodeSectionStart { size, .. } => {
                    if let Some(module) = open.last_mut() {
                        module.code_bytes = size;
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Producers(section) => provenance.merge(section),
                    KnownCustom::Name(section) => {
                        let named = section
                            .into_iter()
                            .map_while(Result::ok)
                            .any(|name| matches!(name, Name::Function(functions) if functions.count() > 0));
                        if let Some(module) = open.last_mut() {
                            module.has_function_names |= named;
                        }
                    }
                    _ => {}
                },
                Payload::End(_) => {
                    if let Some(module) = open.pop()
                        && module.code_bytes > most_code
                    {
                        most_code = module.code_bytes;
                        provenance.has_function_names = module.has_function_names;
                    }
                }
                _ => {}
            }
        }
        provenance
    }

    fn merge(&mut self, section: ProducersSectionReader<'_>) {
        for field in section.into_iter().map_while(Result::ok) {
            let tools = self.producers.entry(field.name.to_owned()).or_default();
            for tool in field.values.into_iter().map_while(Result::ok).take(MAX_TOOLS) {
                let name = bounded(tool.name);
                if tools.len() == MAX_TOOLS && !tools.contains_key(&name) {
                    continue;
                }
                let versions = tools.entry(name).or_default();
                if versions.len() < MAX_VERSIONS {
                    versions.insert(bounded(tool.version));
                }
            }
        }
    }
}

fn bounded(text: &str) -> String {
    let kept = text.floor_char_boundary(MAX_TEXT_BYTES);
    text.get(..kept).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, Component, CustomSection, Function, FunctionSection, Module, ModuleSection, NameMap,
        NameSection, ProducersField, ProducersSection, TypeSection,
    };

    use super::*;

    fn producers(field: &str, tools: &[(&str, &str)]) -> ProducersSection {
        let mut values = ProducersField::new();
        for (tool, version) in tools {
            values.value(tool, version);
        }
        let mut section = ProducersSection::new();
        section.field(field, &values);
        section
    }

    /// A module with so many instructions, whose function has a name or none.
    fn module(instructions: usize, named: bool) -> Module {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut body = Function::new([]);
        for _ in 0..instructions {
            body.instructions().nop();
        }
        body.instructions().end();
        let mut code = CodeSection::new();
        code.function(&body);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&code);
        if named {
            let mut names = NameMap::new();
            names.append(0, "decide");
            let mut section = NameSection::new();
            section.functions(&names);
            module.section(&section);
        }
        module
    }

    fn component(modules: &[Module]) -> Vec<u8> {
        let mut component = Component::new();
        for module in modules {
            component.section(&ModuleSection(module));
        }
        component.finish()
    }

    #[test]
    fn what_the_tools_of_all_modules_say_is_told_together() {
        let mut first = module(1, false);
        first.section(&producers("language", &[("Rust", "")]));
        let mut second = module(1, false);
        second.section(&producers(
            "processed-by",
            &[("rustc", "1.95.0"), ("clang", "20")],
        ));
        let mut third = module(1, false);
        third.section(&producers("processed-by", &[("rustc", "1.96.0")]));
        let read = Provenance::read(&component(&[first, second, third])).producers;
        let fields: Vec<&str> = read.keys().map(String::as_str).collect();
        assert_eq!(fields, ["language", "processed-by"]);
        let versions: Vec<&str> = read["processed-by"]["rustc"].iter().map(String::as_str).collect();
        assert_eq!(versions, ["1.95.0", "1.96.0"]);
    }

    #[test]
    fn functions_are_named_when_those_of_the_largest_module_are() {
        let named = |modules: &[Module]| Provenance::read(&component(modules)).has_function_names;
        assert!(named(&[module(100, true), module(1, false)]));
        assert!(!named(&[module(1, true), module(100, false)]));
        assert!(!named(&[]));
        assert!(Provenance::read(&module(1, true).finish()).has_function_names);
    }

    #[test]
    fn a_stranger_s_sections_are_kept_within_bounds() {
        let long = "x".repeat(1_000);
        let tools: Vec<String> = (0..100).map(|index| format!("tool-{index}")).collect();
        let tools: Vec<(&str, &str)> = tools.iter().map(|tool| (tool.as_str(), long.as_str())).collect();
        let mut modules = Vec::new();
        for index in 0..20 {
            let mut one = module(1, false);
            one.section(&producers("sdk", tools.get(index * 5..).unwrap()));
            modules.push(one);
        }
        let read = Provenance::read(&component(&modules)).producers;
        let tools = &read["sdk"];
        assert_eq!(tools.len(), MAX_TOOLS);
        assert!(
            tools
                .values()
                .flatten()
                .all(|version| version.len() == MAX_TEXT_BYTES)
        );
    }

    #[test]
    fn sections_that_are_cut_off_or_no_sections_are_passed_over() {
        let mut odd = module(1, true);
        for name in ["producers", "name"] {
            let data = vec![0xff; 7].into();
            odd.section(&CustomSection {
                name: name.into(),
                data,
            });
        }
        let bytes = component(&[odd]);
        for end in 0..bytes.len() {
            let _provenance = Provenance::read(&bytes[..end]);
        }
        assert!(Provenance::read(&bytes).has_function_names);
    }
}
