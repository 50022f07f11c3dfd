//! Counting what a component is made of, section by section, without the validator.

use wasmparser::{
    ComponentInstance, CoreType, ElementItems, ElementSectionReader, FunctionBody, Instance,
    ModuleTypeDeclaration, Operator, Payload, SectionLimited,
};

use super::bounds::*;
use super::{Place, StructureError, declarations};

/// Counts something up to its bound.
pub(super) struct Count {
    what: &'static str,
    found: usize,
    max: usize,
}

impl Count {
    const fn of(what: &'static str, max: usize) -> Self {
        Self { what, found: 0, max }
    }

    pub(super) fn add(&mut self, more: usize) -> Result<(), StructureError> {
        self.found = self.found.saturating_add(more);
        at_most(self.what, self.found, self.max, Place::WHOLE)
    }

    /// Adds what a section announces, before any of it is read.
    fn add_all<T>(&mut self, section: &SectionLimited<'_, T>) -> Result<(), StructureError> {
        self.add(announced(section))
    }
}

fn announced<T>(section: &SectionLimited<'_, T>) -> usize {
    usize::try_from(section.count()).unwrap_or(usize::MAX)
}

pub(super) fn at_most(
    what: &'static str,
    found: usize,
    max: usize,
    place: Place,
) -> Result<(), StructureError> {
    if found > max {
        return Err(StructureError::TooMany {
            what,
            found,
            max,
            place,
        });
    }
    Ok(())
}

/// What was counted so far.
pub(super) struct Counts {
    /// The modules and components that are being read, outermost first: how many exports each has so far.
    open: Vec<usize>,
    modules: Count,
    components: Count,
    pub(super) types: Count,
    pub(super) type_members: Count,
    functions: Count,
    canonical_functions: Count,
    instances: Count,
    instance_exports: Count,
    pub(super) imports_and_exports: Count,
    globals: Count,
    segments: Count,
    element_entries: Count,
    /// The exports of the largest component, or type of one, that was read to its end. What is instantiated is one of them.
    most_exports: usize,
}

impl Counts {
    pub(super) const fn new() -> Self {
        Self {
            open: Vec::new(),
            modules: Count::of("core modules", MAX_MODULES),
            components: Count::of("nested components", MAX_COMPONENTS),
            types: Count::of("types", MAX_TYPES),
            type_members: Count::of("fields, cases and parameters of types", MAX_TYPE_MEMBERS),
            functions: Count::of("functions", MAX_FUNCTIONS),
            canonical_functions: Count::of("canonical functions", MAX_CANONICAL_FUNCTIONS),
            instances: Count::of("instances", MAX_INSTANCES),
            instance_exports: Count::of("exports of instances", MAX_INSTANCE_EXPORTS),
            imports_and_exports: Count::of("imports and exports", MAX_IMPORTS_AND_EXPORTS),
            globals: Count::of("globals", MAX_GLOBALS),
            segments: Count::of("data and element segments", MAX_SEGMENTS),
            element_entries: Count::of("entries of element segments", MAX_ELEMENT_ENTRIES),
            most_exports: 0,
        }
    }

    /// Counts one section, or one function's body.
    pub(super) fn take(&mut self, payload: &Payload<'_>, component: &[u8]) -> Result<(), StructureError> {
        match payload {
            Payload::Version { .. } => self.begin(),
            Payload::End(_) => {
                let exports = self.open.pop().unwrap_or(0);
                self.end_of(exports);
                Ok(())
            }
            Payload::ModuleSection { .. } => self.modules.add(1),
            Payload::ComponentSection { .. } => self.components.add(1),
            Payload::TypeSection(section) => self.types.add_all(section),
            Payload::CoreTypeSection(section) => self.core_types(section),
            Payload::ComponentTypeSection(section) => {
                self.types.add_all(section)?;
                declarations::count(self, section.range(), component)
            }
            Payload::FunctionSection(section) => self.functions.add_all(section),
            Payload::CodeSectionEntry(body) => check_function(body),
            Payload::ComponentCanonicalSection(section) => self.canonical_functions.add_all(section),
            Payload::InstanceSection(section) => self.core_instances(section),
            Payload::ComponentInstanceSection(section) => self.component_instances(section),
            Payload::ImportSection(section) => self.imports_and_exports.add_all(section),
            Payload::ExportSection(section) => self.imports_and_exports.add_all(section),
            Payload::ComponentImportSection(section) => self.imports_and_exports.add_all(section),
            Payload::ComponentExportSection(section) => {
                if let Some(exports) = self.open.last_mut() {
                    *exports = exports.saturating_add(announced(section));
                }
                self.imports_and_exports.add_all(section)
            }
            Payload::ComponentAliasSection(section) => self.imports_and_exports.add_all(section),
            Payload::GlobalSection(section) => self.globals.add_all(section),
            Payload::DataSection(section) => self.segments.add_all(section),
            Payload::ElementSection(section) => self.elements(section),
            _ => Ok(()),
        }
    }

    fn begin(&mut self) -> Result<(), StructureError> {
        self.open.push(0);
        at_most(
            "components within one another",
            self.open.len(),
            MAX_NESTED_COMPONENTS,
            Place::WHOLE,
        )
    }

    /// Something of so many exports, which may be instantiated from now on.
    pub(super) fn end_of(&mut self, exports: usize) {
        self.most_exports = self.most_exports.max(exports);
    }

    fn core_types(&mut self, section: &SectionLimited<'_, CoreType<'_>>) -> Result<(), StructureError> {
        self.types.add_all(section)?;
        for ty in section.clone() {
            self.core_type(&ty?)?;
        }
        Ok(())
    }

    /// Counts what a core type has within it; the type itself is counted.
    pub(super) fn core_type(&mut self, ty: &CoreType<'_>) -> Result<(), StructureError> {
        match ty {
            CoreType::Rec(group) => self.types.add(group.types().len().saturating_sub(1)),
            CoreType::Module(declarations) => {
                for declaration in declarations {
                    match declaration {
                        ModuleTypeDeclaration::Type(group) => self.types.add(group.types().len())?,
                        ModuleTypeDeclaration::Export { .. }
                        | ModuleTypeDeclaration::Import(_)
                        | ModuleTypeDeclaration::OuterAlias { .. } => self.imports_and_exports.add(1)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn core_instances(&mut self, section: &SectionLimited<'_, Instance<'_>>) -> Result<(), StructureError> {
        self.instances.add_all(section)?;
        for instance in section.clone() {
            let named = match instance? {
                Instance::Instantiate { args, .. } => args.len(),
                Instance::FromExports(exports) => exports.len(),
            };
            self.imports_and_exports.add(named)?;
        }
        Ok(())
    }

    fn component_instances(
        &mut self,
        section: &SectionLimited<'_, ComponentInstance<'_>>,
    ) -> Result<(), StructureError> {
        self.instances.add_all(section)?;
        for instance in section.clone() {
            match instance? {
                ComponentInstance::Instantiate { args, .. } => {
                    self.imports_and_exports.add(args.len())?;
                    self.instance_exports.add(self.most_exports)?;
                }
                ComponentInstance::FromExports(exports) => self.imports_and_exports.add(exports.len())?,
            }
        }
        Ok(())
    }

    fn elements(&mut self, section: &ElementSectionReader<'_>) -> Result<(), StructureError> {
        self.segments.add_all(section)?;
        for segment in section.clone() {
            let entries = match segment?.items {
                ElementItems::Functions(entries) => announced(&entries),
                ElementItems::Expressions(_, entries) => announced(&entries),
            };
            self.element_entries.add(entries)?;
        }
        Ok(())
    }
}

/// Holds one function against the bounds that are each function's own.
fn check_function(body: &FunctionBody<'_>) -> Result<(), StructureError> {
    let range = body.range();
    let place = Place::function(range.start);
    at_most(
        "bytes in one function",
        range.end.saturating_sub(range.start),
        MAX_FUNCTION_BYTES,
        place,
    )?;
    let mut depth = 0_usize;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        match operators.read()? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                depth += 1;
                at_most("blocks within one another", depth, MAX_BLOCK_DEPTH, place)?;
            }
            Operator::End => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}
