;; Fills a quarter of a gigabyte over and over: each time one instruction, that no loop of the guest's interrupts.
(module
  (memory (export "memory") 4096)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32)
    (loop $again
      (memory.fill (i32.const 0) (i32.const 1) (i32.shl (memory.size) (i32.const 16)))
      (br $again))
    (unreachable)))
