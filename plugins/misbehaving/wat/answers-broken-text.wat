;; Answers with a reason whose message is no UTF-8.
(module
  (memory (export "memory") 1)
  (data (i32.const 64) "\00\00\00\00" "\00\00\00\00" "\50\00\00\00\01\00\00\00") ;; approve, one reason at 80
  (data (i32.const 80) "\60\00\00\00\04\00\00\00" "\68\00\00\00\04\00\00\00") ;; its code at 96, its message at 104
  (data (i32.const 96) "code")
  (data (i32.const 104) "\ff\fe\c0\80")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32) (i32.const 64)))
