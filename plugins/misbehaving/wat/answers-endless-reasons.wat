;; Answers with as many reasons as a length can say, in a memory of one page.
(module
  (memory (export "memory") 1)
  (data (i32.const 64) "\00\00\00\00" "\00\00\00\00" "\50\00\00\00\ff\ff\ff\ff")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32) (i32.const 64)))
