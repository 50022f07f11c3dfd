//! Counting what types of components and of instances declare within them.
//!
//! The parser reads such a type whole, into memory, and calls itself for every type within it: a few kilobytes of types within
//! types overflow the stack of whoever reads them. So they are walked here, one declaration after the other, and the parser
//! is only given what has no other types within it.

use std::ops::Range;

use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentAlias, ComponentDefinedType, ComponentExternName,
    ComponentImport, ComponentType, ComponentTypeRef, CoreType,
};

use super::bounds::MAX_NESTED_TYPES;
use super::counts::{Counts, at_most};
use super::{Place, StructureError};

/// The first byte of a component type, by the specification of the component model.
const COMPONENT_TYPE: u8 = 0x41;

/// The first byte of an instance type.
const INSTANCE_TYPE: u8 = 0x42;

/// What the declarations of such a type begin with.
mod declaration {
    pub(super) const CORE_TYPE: u8 = 0x00;
    pub(super) const TYPE: u8 = 0x01;
    pub(super) const ALIAS: u8 = 0x02;
    pub(super) const IMPORT: u8 = 0x03;
    pub(super) const EXPORT: u8 = 0x04;
}

/// A type, or the section itself, whose declarations are being read.
struct Open {
    left: u32,
    exports: usize,
}

/// Counts what the types of a section have within them. The types of the section themselves are counted.
pub(super) fn count(
    counts: &mut Counts,
    section: Range<usize>,
    component: &[u8],
) -> Result<(), StructureError> {
    let offset = section.start;
    // The parser found the section in these bytes.
    let bytes = component.get(section).unwrap_or_default();
    let mut walk = Walk {
        reader: BinaryReader::new(bytes, offset),
        open: Vec::new(),
    };
    walk.begin()?;
    while let Some(innermost) = walk.open.last_mut() {
        match innermost.left.checked_sub(1) {
            Some(left) => {
                innermost.left = left;
                walk.next(counts)?;
            }
            None => {
                counts.end_of(innermost.exports);
                walk.open.pop();
            }
        }
    }
    Ok(())
}

struct Walk<'a> {
    reader: BinaryReader<'a>,
    /// The section, then the types within one another.
    open: Vec<Open>,
}

impl Walk<'_> {
    /// Begins with what there are so many declarations of.
    fn begin(&mut self) -> Result<(), BinaryReaderError> {
        let left = self.reader.read_var_u32()?;
        self.open.push(Open { left, exports: 0 });
        Ok(())
    }

    /// Reads a type of the section, or a declaration of the innermost type.
    fn next(&mut self, counts: &mut Counts) -> Result<(), StructureError> {
        if self.open.len() == 1 {
            return self.ty(counts);
        }
        match self.reader.read_u8()? {
            declaration::CORE_TYPE => {
                counts.types.add(1)?;
                let ty: CoreType<'_> = self.reader.read()?;
                counts.core_type(&ty)
            }
            declaration::TYPE => {
                counts.types.add(1)?;
                self.ty(counts)
            }
            declaration::ALIAS => {
                counts.imports_and_exports.add(1)?;
                self.reader.read::<ComponentAlias<'_>>()?;
                Ok(())
            }
            declaration::IMPORT => {
                counts.imports_and_exports.add(1)?;
                self.reader.read::<ComponentImport<'_>>()?;
                Ok(())
            }
            declaration::EXPORT => {
                counts.imports_and_exports.add(1)?;
                if let Some(innermost) = self.open.last_mut() {
                    innermost.exports += 1;
                }
                self.reader.read::<ComponentExternName<'_>>()?;
                self.reader.read::<ComponentTypeRef>()?;
                Ok(())
            }
            found => Err(StructureError::Invalid {
                reason: format!("a declaration of a type begins with 0x{found:x}"),
            }),
        }
    }

    /// Reads a type, or begins with one that has declarations.
    fn ty(&mut self, counts: &mut Counts) -> Result<(), StructureError> {
        let first = self.reader.clone().read_u8();
        if matches!(first, Ok(COMPONENT_TYPE | INSTANCE_TYPE)) {
            self.reader.read_u8()?;
            self.begin()?;
            // The section is no type.
            let depth = self.open.len() - 1;
            return at_most("types within one another", depth, MAX_NESTED_TYPES, Place::WHOLE);
        }
        let ty = self.reader.read()?;
        counts.type_members.add(members(&ty))
    }
}

/// What the validator keeps a name of for each, or a type.
fn members(ty: &ComponentType<'_>) -> usize {
    match ty {
        ComponentType::Func(ty) => ty.params.len(),
        ComponentType::Defined(ComponentDefinedType::Record(fields)) => fields.len(),
        ComponentType::Defined(ComponentDefinedType::Variant(cases)) => cases.len(),
        ComponentType::Defined(ComponentDefinedType::Tuple(types)) => types.len(),
        ComponentType::Defined(ComponentDefinedType::Flags(names) | ComponentDefinedType::Enum(names)) => {
            names.len()
        }
        _ => 0,
    }
}
