;; Calls itself without end, with nothing in linear memory: the frames lie on the stack of the thread that runs it.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func $deeper (param $level i32) (result i32)
    (i32.add (call $deeper (i32.add (local.get $level) (i32.const 1))) (local.get $level)))
  (func (export "evaluate") (param i32) (result i32) (call $deeper (i32.const 0))))
