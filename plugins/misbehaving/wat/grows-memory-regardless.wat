;; Goes on asking for memory after it was told that there is none, as much as can be asked for at a time.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32)
    (loop $more
      (drop (memory.grow (i32.const 1)))
      (drop (memory.grow (i32.const 65535)))
      (br $more))
    (unreachable)))
