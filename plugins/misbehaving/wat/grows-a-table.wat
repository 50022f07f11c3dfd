;; Takes entries of a table until it is given no more.
(module
  (memory (export "memory") 1)
  (table $entries 1 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (table.grow $entries (ref.null func) (i32.const 64)) (i32.const -1))))
    (unreachable)))
