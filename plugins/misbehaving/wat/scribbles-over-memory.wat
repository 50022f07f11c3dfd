;; Looks for a trace of another call in a global, a table and all of its memory, those pages too that it was not born with;
;; then leaves one everywhere. Approves when it finds none, and declines when it does.
(module
  (memory (export "memory") 1)
  (table $entries 8 funcref)
  (elem declare func $evaluate)
  (global $calls (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func $found (result i32)
    (local $at i32)
    (if (global.get $calls) (then (return (i32.const 1))))
    (if (i32.eqz (ref.is_null (table.get $entries (i32.const 7)))) (then (return (i32.const 1))))
    (local.set $at (i32.const 4096)) ;; below it lies the request
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16)))))
    (i32.const 0))
  (func $evaluate (export "evaluate") (param i32) (result i32)
    (local $found i32)
    (drop (memory.grow (i32.const 63)))
    (local.set $found (call $found))
    (global.set $calls (i32.const 1))
    (table.set $entries (i32.const 7) (ref.func $evaluate))
    (memory.fill (i32.const 0) (i32.const 0xaa) (i32.shl (memory.size) (i32.const 16)))
    (memory.fill (i32.const 64) (i32.const 0) (i32.const 64))
    (if (local.get $found) (then (i32.store8 offset=68 (i32.const 0) (i32.const 3))))
    (i32.const 64)))
