/// Owned memory for `count` numbers, aligned to 64 bytes and zero at first.
///
/// The kernels work on its pointer; the class exists to own it. Two threads may share a buffer as long as they write
/// to different parts of it, which the fixed shards of a training step see to.
final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Element>
    let count: Int

    init(_ count: Int) {
        let (size, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        require(count >= 0 && !overflow, "a buffer has 0 or more numbers, as many as memory can hold; found \(count)")
        let bytes = size
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        pointer = raw.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    deinit {
        UnsafeMutableRawPointer(pointer).deallocate()
    }

    func clear() { clear(0..<count) }

    /// Makes the numbers of a range zero.
    func clear(_ range: Range<Int>) {
        UnsafeMutableRawPointer(pointer + range.lowerBound).initializeMemory(
            as: UInt8.self, repeating: 0, count: range.count * MemoryLayout<Element>.stride)
    }
}

extension Buffer {
    convenience init(_ values: [Element]) {
        self.init(values.count)
        for (i, value) in values.enumerated() { pointer[i] = value }
    }
}

extension Buffer where Element == Float {
    var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    func copy(from other: Buffer<Float>) {
        require(other.count == count, "copying a buffer of \(other.count) numbers into one of \(count)")
        pointer.update(from: other.pointer, count: count)
    }

    /// Adds the numbers of a range of another buffer to those here.
    func add(_ other: Buffer<Float>, _ range: Range<Int>) {
        let (target, source) = (pointer, other.pointer)
        for i in range { target[i] += source[i] }
    }

    /// Multiplies the numbers of a range, whole vectors, by `factor`.
    func scale(_ range: Range<Int>, by factor: Float) {
        for i in stride(from: range.lowerBound, to: range.upperBound, by: Lanes.width) {
            (Lanes(at: pointer + i) * factor).store(at: pointer + i)
        }
    }
}
