//! Composition root and the portcullis binary.
