/// What a pickle of Python's holds: plain values, containers, and calls and persistent ids, which are noted and left to the
/// format that the pickle is a part of.
///
/// A pickle is a program for a stack machine that may import and call whatever Python has. ``PickleReader`` knows of its
/// instructions those that `torch.save` writes, and of names to be imported those that the format allows; nothing is run.
///
/// The containers stand in one list and hold each other by their place in it: however they are nested or contain
/// themselves, to read them and to forget them takes no depth of calls.
struct Pickle {
    enum Value: Equatable {
        case none
        case boolean(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        /// A name of a module, as collections.OrderedDict.
        case global(String)
        /// What nothing here computes with, bytes and integers of more than 64 bits, in words.
        case other(String)
        /// The place of a container in ``objects``.
        case object(Int)
    }

    enum Kind: Equatable {
        case list, tuple
        /// Keys and values in turn, a key that came twice included.
        case dictionary, orderedDictionary
        /// What is called, and the tuple of its arguments.
        case call
        /// The parts of the tuple that the id is.
        case persistentID
    }

    struct Object {
        let kind: Kind
        var values: [Value]
    }

    /// Every container, in the order in which they were made.
    fileprivate(set) var objects: [Object] = []
    /// What the pickle is of.
    fileprivate(set) var root = Value.none

    /// The container that a value is; nil of others.
    func object(_ value: Value) -> Object? { if case .object(let place) = value { objects[place] } else { nil } }

    /// Reads a whole pickle.
    ///
    /// - Parameters:
    ///   - bytes: The pickle.
    ///   - source: Where it came from, and `entry` which part of that, for error messages.
    ///   - allowed: The names that may be imported, with their modules.
    ///   - advice: What to do about a pickle of anything else.
    /// - Throws: `FormatError` for an instruction or a name that is not allowed, and where the pickle breaks a rule.
    /// - Complexity: O(*n*) in time and memory for *n* bytes.
    init(
        bytes: [UInt8], source: String, entry: String, allowed: Set<String>, advice: String
    ) throws(FormatError) {
        var reader = PickleReader(bytes: bytes, source: source, entry: entry, allowed: allowed, advice: advice)
        try reader.run()
        self = reader.pickle
    }

    fileprivate init() {}
}

/// The stack machine. Python's `pickletools` has its instructions; the names here are those of the comments there.
private struct PickleReader {
    typealias Value = Pickle.Value
    typealias Kind = Pickle.Kind

    let bytes: [UInt8]
    let source: String
    let entry: String
    let allowed: Set<String>
    let advice: String

    var pickle = Pickle()
    private var stack: [Value] = []
    /// How high the stack was at each mark.
    private var marks: [Int] = []
    /// Values for later, numbered from 0 as they came.
    private var memo: [Value] = []
    /// The next byte, and where the instruction began that is being read.
    private var (position, start) = (0, 0)
    /// Where the frame ends that is being read, from protocol 4 on.
    private var frameEnd: Int?

    init(bytes: [UInt8], source: String, entry: String, allowed: Set<String>, advice: String) {
        (self.bytes, self.source, self.entry, self.allowed, self.advice) = (bytes, source, entry, allowed, advice)
    }

    /// Instructions that other pickles have, to be named when they are refused.
    private static let refused: [UInt8: String] = [
        0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x46: "FLOAT", 0x49: "INT", 0x4C: "LONG", 0x50: "PERSID",
        0x53: "STRING", 0x54: "BINSTRING", 0x55: "SHORT_BINSTRING", 0x56: "UNICODE", 0x64: "DICT", 0x67: "GET",
        0x69: "INST", 0x6C: "LIST", 0x6F: "OBJ", 0x70: "PUT", 0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2",
        0x84: "EXT4", 0x8F: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX",
        0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
    ]

    mutating func run() throws(FormatError) {
        guard bytes.count >= 2, bytes[0] == 0x80, (2...5).contains(bytes[1]) else {
            throw error(.signature, "a pickle of protocol 2 to 5, which begins 0x80", "other bytes")
        }
        position = 2
        while true {
            if position == frameEnd { frameEnd = nil }
            start = position
            let code = try byte()
            if code == 0x2E { break }  // STOP
            if try !literal(code), try !container(code), try !reference(code) {
                let found = Self.refused[code] ?? "one that pickles do not have"
                throw error(
                    .unsupported, "an instruction that torch.save writes", "\(found) (\(hexadecimal(code)))", advice)
            }
        }
        guard stack.count == 1, marks.isEmpty else {
            throw error(.header, "one value at the end", "\(stack.count) and \(marks.count) marks")
        }
        guard position == bytes.count else {
            throw error(.size, "the end of the pickle", "\(bytes.count - position) bytes behind it")
        }
        pickle.root = stack[0]
    }
}

// MARK: - Bytes

extension PickleReader {
    private mutating func take(_ count: some BinaryInteger) throws(FormatError) -> Range<Int> {
        guard count >= 0, count <= bytes.count - position else {
            throw error(
                .truncated, "\(count) bytes more", "\(bytes.count - position)", FormatError.damaged)
        }
        let range = position..<position + Int(count)
        if let frameEnd, range.upperBound > frameEnd {
            throw error(.size, "an instruction within its frame, which ends at byte \(frameEnd)", "one beyond it")
        }
        position = range.upperBound
        return range
    }

    private mutating func byte() throws(FormatError) -> UInt8 { bytes[try take(1).lowerBound] }

    private mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(FormatError) -> Number {
        bytes.littleEndian(Number.self, at: try take(MemoryLayout<Number>.size).lowerBound)
    }

    private mutating func text(_ count: some BinaryInteger) throws(FormatError) -> Value {
        let range = try take(count)
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw error(.header, "a text in UTF-8", "other bytes")
        }
        return .text(text)
    }

    /// A whole number of `count` bytes in two's complement.
    private mutating func long(_ count: some BinaryInteger) throws(FormatError) -> Value {
        let digits = bytes[try take(count)]
        guard digits.count <= 8 else { return .other("a whole number of \(digits.count) bytes") }
        let isNegative = (digits.last ?? 0) >= 0x80
        return .integer(digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }

    private mutating func line() throws(FormatError) -> String {
        guard let end = bytes[position...].firstIndex(of: 0x0A) else {
            throw error(.truncated, "a name that ends with a line feed", "none", FormatError.damaged)
        }
        defer { position += 1 }
        guard case .text(let text) = try text(end - position) else { return "" }
        return text
    }
}

// MARK: - Stack and containers

extension PickleReader {
    private mutating func push(_ value: Value) { stack.append(value) }

    private mutating func push(_ kind: Kind, _ values: [Value]) {
        push(.object(pickle.objects.count))
        pickle.objects.append(Pickle.Object(kind: kind, values: values))
    }

    /// The top of the stack, above the last mark.
    private mutating func pop() throws(FormatError) -> Value {
        guard stack.count > marks.last ?? 0 else { throw error(.header, "a value on the stack", "none") }
        return stack.removeLast()
    }

    private mutating func popAll(_ count: Int) throws(FormatError) -> [Value] {
        guard stack.count - count >= marks.last ?? 0 else {
            throw error(.header, "\(count) values on the stack", "\(stack.count - (marks.last ?? 0))")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    /// Everything above the last mark, which goes too.
    private mutating func popMark() throws(FormatError) -> [Value] {
        guard let mark = marks.last else { throw error(.header, "a mark on the stack", "none") }
        let values = try popAll(stack.count - mark)
        marks.removeLast()
        return values
    }

    /// The container on top of the stack, which stays there.
    private func top(_ kinds: Kind...) throws(FormatError) -> Int {
        guard stack.count > marks.last ?? 0, case .object(let place)? = stack.last,
            kinds.contains(pickle.objects[place].kind)
        else { throw error(.header, "a list or a dictionary to add to", "none") }
        return place
    }

    private mutating func addPairs(_ values: [Value]) throws(FormatError) {
        guard values.count.isMultiple(of: 2) else { throw error(.header, "keys with values", "a key without one") }
        pickle.objects[try top(.dictionary, .orderedDictionary)].values += values
    }
}

// MARK: - Instructions

extension PickleReader {
    /// Plain values. Gives whether the instruction is of these.
    private mutating func literal(_ code: UInt8) throws(FormatError) -> Bool {
        switch code {
        case 0x4E: push(.none)
        case 0x88, 0x89: push(.boolean(code == 0x88))
        case 0x4B: push(.integer(Int(try byte())))  // BININT1
        case 0x4D: push(.integer(Int(try number(UInt16.self))))  // BININT2
        case 0x4A: push(.integer(Int(try number(Int32.self))))  // BININT
        case 0x8A: push(try long(try byte()))  // LONG1
        case 0x8B: push(try long(try number(Int32.self)))  // LONG4
        case 0x47: push(.number(Double(bitPattern: try number(UInt64.self).byteSwapped)))  // BINFLOAT
        case 0x8C: push(try text(try byte()))  // SHORT_BINUNICODE
        case 0x58: push(try text(try number(UInt32.self)))  // BINUNICODE
        case 0x8D: push(try text(try number(UInt64.self)))  // BINUNICODE8
        case 0x43: push(.other("\(try take(try byte()).count) bytes"))  // SHORT_BINBYTES
        case 0x42: push(.other("\(try take(try number(UInt32.self)).count) bytes"))  // BINBYTES
        case 0x8E, 0x96: push(.other("\(try take(try number(UInt64.self)).count) bytes"))  // BINBYTES8, BYTEARRAY8
        default: return false
        }
        return true
    }

    private mutating func container(_ code: UInt8) throws(FormatError) -> Bool {
        switch code {
        case 0x28: marks.append(stack.count)
        case 0x5D: push(.list, [])
        case 0x29: push(.tuple, [])
        case 0x7D: push(.dictionary, [])
        case 0x85, 0x86, 0x87: push(.tuple, try popAll(Int(code) - 0x84))  // TUPLE1 to TUPLE3
        case 0x74: push(.tuple, try popMark())
        case 0x61:  // APPEND
            let value = try pop()
            pickle.objects[try top(.list)].values.append(value)
        case 0x65:  // APPENDS
            let values = try popMark()
            pickle.objects[try top(.list)].values += values
        case 0x73: try addPairs(try popAll(2))  // SETITEM
        case 0x75: try addPairs(try popMark())  // SETITEMS
        default: return false
        }
        return true
    }

    /// Memo, frames, names, calls and persistent ids.
    private mutating func reference(_ code: UInt8) throws(FormatError) -> Bool {
        switch code {
        case 0x95:  // FRAME
            guard frameEnd == nil else { throw error(.size, "a frame behind the last", "one within it") }
            let frame = try take(try number(UInt64.self))
            (position, frameEnd) = (frame.lowerBound, frame.upperBound)
        case 0x71: try put(Int(try byte()))  // BINPUT
        case 0x72: try put(Int(clamping: try number(UInt32.self)))  // LONG_BINPUT
        case 0x94: try put(memo.count)  // MEMOIZE
        case 0x68: try get(Int(try byte()))  // BINGET
        case 0x6A: try get(Int(clamping: try number(UInt32.self)))  // LONG_BINGET
        case 0x63:  // GLOBAL
            let module = try line()
            try importName(module, try line())
        case 0x93:  // STACK_GLOBAL
            let names = try popAll(2)
            guard case .text(let module) = names[0], case .text(let name) = names[1] else {
                throw error(.header, "the names of a module and of something in it", "other values")
            }
            try importName(module, name)
        case 0x52: try call()
        case 0x62:  // BUILD: the attributes of a dictionary, as the _metadata of a state dict
            let state = try pop()
            let place = try? top(.orderedDictionary)
            guard place != nil, pickle.object(state)?.kind == .dictionary else {
                throw error(.unsupported, "attributes of an OrderedDict alone", "those of something else", advice)
            }
        case 0x51:  // BINPERSID
            let id = try pop()
            guard let tuple = pickle.object(id), tuple.kind == .tuple else {
                throw error(.header, "a tuple as persistent id", "another value")
            }
            push(.persistentID, tuple.values)
        default: return false
        }
        return true
    }

    /// The memo has no gaps: a number is that of a value, or the next.
    private mutating func put(_ number: Int) throws(FormatError) {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw error(.header, "a value on the stack", "none")
        }
        guard number <= memo.count else {
            throw error(.header, "number \(memo.count) of the memo, or one before it", "number \(number)")
        }
        if number == memo.count { memo.append(value) } else { memo[number] = value }
    }

    private mutating func get(_ number: Int) throws(FormatError) {
        guard number < memo.count else {
            throw error(.header, "a value of the memo, which has \(memo.count)", "number \(number)")
        }
        push(memo[number])
    }

    private mutating func importName(_ module: String, _ name: String) throws(FormatError) {
        let full = "\(module).\(name)"
        guard allowed.contains(full) else {
            throw error(
                .unsupported, "tensors, dictionaries, lists, numbers and texts",
                "\(full.count > 100 ? full.prefix(100) + "…" : full), which is not run", advice)
        }
        push(.global(full))
    }

    /// An OrderedDict is made, other calls are noted.
    private mutating func call() throws(FormatError) {
        let values = try popAll(2)
        guard case .global(let name) = values[0], let arguments = pickle.object(values[1]), arguments.kind == .tuple
        else { throw error(.header, "a name and its arguments to call it with", "other values") }
        guard name == "collections.OrderedDict" else { return push(.call, values) }
        guard arguments.values.isEmpty else {
            throw error(.header, "an OrderedDict that begins empty", "\(arguments.values.count) arguments")
        }
        push(.orderedDictionary, [])
    }

    private func error(
        _ reason: FormatError.Reason, _ expected: String, _ found: String, _ advice: String? = nil
    ) -> FormatError {
        FormatError(
            source: source, entry: entry, reason: reason, expected: "\(expected) at byte \(start) of the pickle",
            found: found, advice: advice ?? FormatError.damaged)
    }
}
