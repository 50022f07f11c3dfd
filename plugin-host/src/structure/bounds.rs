//! How much of each a component may have. The table of `docs/sandbox.md` has the same numbers; a test compares.

/// How deep components may be nested; toolchains nest two or three.
pub(crate) const MAX_NESTED_COMPONENTS: usize = 16;

/// Core modules, over all nested components. Interpreters of Python come in some thirty.
pub(crate) const MAX_MODULES: usize = 64;

/// Nested components. Toolchains make one for each interface that is exported, and a policy exports none.
pub(crate) const MAX_COMPONENTS: usize = 64;

/// Types, of core modules and of components together, those that are declared within other types included. Go and Python have
/// some hundreds.
pub(crate) const MAX_TYPES: usize = 20_000;

/// Component and instance types within one another: toolchains nest two.
pub(crate) const MAX_NESTED_TYPES: usize = 16;

/// Fields, cases and parameters of all types of components: what the validator keeps a name for. The error codes of WASI are
/// most of what toolchains bring, some hundreds.
pub(crate) const MAX_TYPE_MEMBERS: usize = 100_000;

/// Functions with a body. An interpreter of Python has some 20,000.
pub(crate) const MAX_FUNCTIONS: usize = 100_000;

/// Bytes of one function's body. The largest of an interpreter, its loop over bytecode, has some hundred thousand.
pub(crate) const MAX_FUNCTION_BYTES: usize = 512 * 1024;

/// Blocks within blocks of one function. Go, which nests one for every point that it may resume at, has some hundreds.
pub(crate) const MAX_BLOCK_DEPTH: usize = 4_096;

/// Functions that a component makes of a module's, or the other way round, and those that come with resources. Toolchains
/// make one or two for each import.
pub(crate) const MAX_CANONICAL_FUNCTIONS: usize = 10_000;

/// Instances of modules and of components, and those that only gather exports. Python has some 110.
pub(crate) const MAX_INSTANCES: usize = 256;

/// Exports that all instances of components have together, each counted as if it had as many as the largest component or type:
/// the validator copies them, with their types, for each.
pub(crate) const MAX_INSTANCE_EXPORTS: usize = 100_000;

/// Imports and exports of all modules and components and of the types in them, aliases, and what instances are given and
/// made of. Python has some 10,000.
pub(crate) const MAX_IMPORTS_AND_EXPORTS: usize = 20_000;

/// Globals.
pub(crate) const MAX_GLOBALS: usize = 20_000;

/// Segments of data and of table elements.
pub(crate) const MAX_SEGMENTS: usize = 50_000;

/// Entries of all element segments. Each takes 16 bytes of the host's memory for every instance and is written one by one when
/// it is made, which no fuel pays for. Interpreters have some 8,000.
pub(crate) const MAX_ELEMENT_ENTRIES: usize = 100_000;
