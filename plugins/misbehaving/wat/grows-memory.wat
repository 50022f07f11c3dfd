;; Takes memory a page at a time, writes into each, and gives up when it is given no more.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32)
    (local $pages i32)
    (loop $more
      (local.set $pages (memory.grow (i32.const 1)))
      (if (i32.eq (local.get $pages) (i32.const -1)) (then (unreachable)))
      (i32.store (i32.shl (local.get $pages) (i32.const 16)) (i32.const 1))
      (br $more))
    (unreachable)))
