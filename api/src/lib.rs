//! The HTTP interface: parse, call a use case, render.
