/// A block of numbers in a ``Layout``: the parameters of a network, their gradients or a moment of them.
public final class Parameters: @unchecked Sendable {
    /// Where each tensor lies.
    public let layout: Layout
    let block: Buffer<Float>

    /// A block of zeros.
    public init(_ layout: Layout) {
        self.layout = layout
        block = Buffer(layout.blockCount)
    }

    var pointer: UnsafeMutablePointer<Float> { block.pointer }

    func pointer(to name: String) -> UnsafeMutablePointer<Float> {
        block.pointer + layout.window(name).offset
    }

    /// The numbers of the window called `name`, row-major. Setting traps unless the count is the window's.
    public subscript(name: String) -> [Float] {
        get {
            let window = layout.window(name)
            return Array(UnsafeBufferPointer(start: block.pointer + window.offset, count: window.count))
        }
        set {
            let window = layout.window(name)
            require(newValue.count, fits: window.shape, "the parameter \(name)")
            for (i, value) in newValue.enumerated() { block.pointer[window.offset + i] = value }
        }
    }

    /// Sets every number to 0, as gradients need before the next ones add up.
    public func clear() { block.clear() }

    /// Copies every number of a block of the same layout. Traps on another one.
    public func copy(from other: Parameters) {
        require(
            other.layout == layout,
            "parameters can only be copied from a block of the same layout: here are \(layout.text), there \(other.layout.text)"
        )
        block.copy(from: other.block)
    }
}

extension Parameters {
    /// Where each named tensor of a network lies in its one block of parameters.
    ///
    /// Gradients and optimizer moments are blocks of the same layout, so that clipping, an optimizer's step, saving and
    /// comparing are one loop each. A window begins at a multiple of 16 floats; the gaps are zero and stay zero.
    public struct Layout: Sendable, Equatable {
        /// One named tensor, row-major.
        public struct Window: Sendable, Equatable {
            /// Its name.
            public let name: String
            /// Its sizes, outermost first.
            public let shape: [Int]
            /// Its first float within the block.
            public let offset: Int
            /// Its numbers: the product of the shape.
            public var count: Int { shape.reduce(1, *) }
        }

        /// The tensors in their order.
        public private(set) var windows: [Window] = []
        /// Floats in the block, gaps included.
        public private(set) var blockCount = 0

        /// A layout without tensors.
        public init() {}

        /// Trained numbers: the windows without the gaps.
        public var parameterCount: Int { windows.reduce(0) { $0 + $1.count } }

        /// Most floats of a block: their bytes can be counted.
        private static let blockLimit = Int.max / 64

        /// Adds a window behind the others and gives its offset. Traps on a name that is taken, and on a shape with a size
        /// below 0, or of more numbers than memory can hold.
        @discardableResult
        public mutating func append(_ name: String, _ shape: Int...) -> Int {
            append(name, shape: shape)
        }

        mutating func append(_ name: String, shape: [Int]) -> Int {
            if let problem = problem(appending: name, shape) { misuse(problem) }
            let window = Window(name: name, shape: shape, offset: blockCount)
            windows.append(window)
            blockCount += (window.count + 15) / 16 * 16
            return window.offset
        }

        /// Why a window cannot stand behind the others; nil if it can.
        func problem(appending name: String, _ shape: [Int]) -> String? {
            if windows.contains(where: { $0.name == name }) { return "two parameters are named \(name)" }
            guard let count = elementCount(shape), count <= Self.blockLimit - blockCount else {
                return
                    "the parameter \(name) has the shape \(shape.text); sizes are at least 0, and memory must hold all numbers"
            }
            return nil
        }

        /// The names and shapes, to be read by people.
        var text: String {
            windows.isEmpty ? "none" : windows.map { "\($0.name) \($0.shape.text)" }.joined(separator: ", ")
        }

        /// The window called `name`; traps when there is none.
        public func window(_ name: String) -> Window {
            guard let window = windows.first(where: { $0.name == name }) else {
                misuse(
                    "no parameter is named \(name); there are \(windows.map { $0.name }.joined(separator: ", "))")
            }
            return window
        }
    }
}
