;; A component that wants to speak HTTP. Written as a component, since no world of the contract has the import.
(component (import "wasi:http/outgoing-handler@0.2.6" (instance)))
