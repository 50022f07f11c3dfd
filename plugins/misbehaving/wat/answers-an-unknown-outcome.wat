;; Answers with the eighth of four outcomes.
(module
  (memory (export "memory") 1)
  (data (i32.const 64) "\00\00\00\00" "\07\00\00\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32) (i32.const 64)))
