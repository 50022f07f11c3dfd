package main

// The contract 0.1.0 as the canonical ABI lays it out in memory, by hand: a generator of bindings for Go needs more than the
// standard toolchain. Fields stand in the order of the WIT, at the offsets that Go gives them too; a pointer has 32 bits in
// WebAssembly, which Go's own pointers have not, so they are numbers here. The parts of a payment that this policy does not
// read are laid out all the same.

import (
	"structs"
	"unsafe"
)

type text struct {
	_       structs.HostLayout
	at, len uint32
}

type optionalText struct {
	_    structs.HostLayout
	some bool
	text text
}

// Of any element: how long one is says its type.
type list struct {
	_       structs.HostLayout
	at, len uint32
}

type request struct {
	_          structs.HostLayout
	payment    payment
	features   list // of feature
	parameters list // of parameter
}

type payment struct {
	_                structs.HostLayout
	id, merchantID   text
	merchantCategory optionalText
	minorUnits       int64
	currency         text
	createdAt        uint64
	card             struct {
		_                       structs.HostLayout
		some                    bool
		bin, last4, fingerprint text
		issuerCountry           optionalText
	}
	customer struct {
		_                                          structs.HostLayout
		some                                       bool
		id, email, billingCountry, shippingCountry optionalText
	}
	device struct {
		_                            structs.HostLayout
		some                         bool
		id, ip, ipCountry, userAgent optionalText
	}
	metadata list // of entry
}

type entry struct {
	_          structs.HostLayout
	key, value text
}

// The payload of a variant is as long as its longest case, and as strictly aligned as the strictest.
type feature struct {
	_     structs.HostLayout
	name  text
	kind  uint8
	value uint64
}

const (
	featureCount uint8 = iota
	featureAmount
	featureListed
	featureUnavailable
)

type parameter struct {
	_     structs.HostLayout
	name  text
	kind  uint8
	value uint64
}

const (
	parameterInteger uint8 = iota
	parameterText
	parameterFlag
	parameterTexts
)

type descriptor struct {
	_          structs.HostLayout
	summary    text
	reads      uint8
	features   list // of namedVelocity
	parameters list // of parameter
}

// Bits of descriptor.reads.
const (
	readsCard uint8 = 1 << iota
	readsCustomer
	readsDevice
	readsMetadata
)

// A named-feature-spec whose spec is a velocity-feature, which is case 0.
type namedVelocity struct {
	_                       structs.HostLayout
	name                    text
	spec                    uint8
	_                       [3]uint8
	subject, measure        uint8
	distinctSubject, filter uint8
	windowSeconds, _listed  uint32
}

const (
	subjectCard   uint8 = 0
	subjectDevice uint8 = 4

	measureCount  uint8 = 0
	measureAmount uint8 = 1

	filterAttempted uint8 = 0
)

// The result of evaluate with a decision in it.
type accepted struct {
	_       structs.HostLayout
	isError bool
	_       [3]uint8
	outcome uint8
	score   uint16
	reasons list // of reason
}

// The result of evaluate with an error in it.
type refused struct {
	_       structs.HostLayout
	isError bool
	error   text
}

const (
	approve uint8 = 0
	decline uint8 = 3
)

type reason struct {
	_             structs.HostLayout
	code, message text
}

// What the gateway holds an address of. The garbage collector does not see those.
var held []any

// The gateway calls this for the memory that it puts a request into. Under the name cabi_realloc the adapter for WASI would
// call it too, before Go's runtime has started.
//
//go:wasmexport cabi_export_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	memory := make([]uint64, (size+7)/8+1)
	held = append(held, memory)
	address := unsafe.Pointer(unsafe.SliceData(memory))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(address), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return address
}

//go:wasmimport portcullis:policy/host@0.1.0 emit-signal
func hostEmitSignal(code unsafe.Pointer, codeLen uint32, detail unsafe.Pointer, detailLen uint32)

func emitSignal(code, detail string) {
	hostEmitSignal(unsafe.Pointer(unsafe.StringData(code)), uint32(len(code)),
		unsafe.Pointer(unsafe.StringData(detail)), uint32(len(detail)))
}

// The text in the request, not a copy of it.
func (t text) String() string {
	if t.len == 0 {
		return ""
	}
	return unsafe.String((*byte)(pointer(t.at)), int(t.len))
}

// The text, if it is there and has this value.
func (t optionalText) is(value string) bool { return t.some && t.text.String() == value }

// The elements of a list in the request.
func elements[T any](l list) []T {
	if l.len == 0 {
		return nil
	}
	return unsafe.Slice((*T)(pointer(l.at)), int(l.len))
}

func pointer(at uint32) unsafe.Pointer {
	// All of linear memory is Go's; to the compiler this is no pointer arithmetic.
	address := uintptr(at)
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// A text or a list as the payload of a variant: address and length in one.
func halves(payload uint64) (at, len uint32) { return uint32(payload), uint32(payload >> 32) }

func toText(s string) text {
	held = append(held, s)
	return text{at: uint32(uintptr(unsafe.Pointer(unsafe.StringData(s)))), len: uint32(len(s))}
}

func toList[T any](s []T) list {
	held = append(held, s)
	return list{at: uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s)))), len: uint32(len(s))}
}

// An answer, which stays where it is until the gateway has read it.
func answer[T any](value T) unsafe.Pointer {
	kept := &value
	held = append(held, kept)
	return unsafe.Pointer(kept)
}
