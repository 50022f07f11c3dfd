;; Never comes to an end of its start function, which runs when an instance is made. Its rounds take much fuel and little time,
;; so that it is the fuel that ends on any machine.
(module
  (memory (export "memory") 1)
  (func $spin
    (loop $again
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))
      (br $again)))
  (start $spin)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "evaluate") (param i32) (result i32) (i32.const 0)))
