;; Fills a table of twenty thousand entries over and over: each time one instruction.
(module
  (memory (export "memory") 1)
  (table $entries 20000 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32)
    (loop $again
      (table.fill $entries (i32.const 0) (ref.null func) (i32.const 20000))
      (br $again))
    (unreachable)))
