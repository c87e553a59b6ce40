/// The arrays of a batch that a forward pass reads and writes, time-major; states in PyTorch's order of layers and
/// directions. The states may be the same memory.
struct ForwardArrays {
    /// What the first layer reads.
    enum Input {
        /// [T, B, I].
        case numbers(UnsafePointer<Float>)
        /// [T, B], each below I: the place of the 1 among I numbers of which the others are 0.
        case tokens(UnsafePointer<UInt16>)
    }

    var batch: Int
    /// The first step's place in the fast weights' schedule.
    var step: Int
    var input: Input
    var hidden: UnsafePointer<Float>?
    var memory: UnsafePointer<Float>?
    var outputs: UnsafeMutablePointer<Float>
    var lastHidden: UnsafeMutablePointer<Float>
    var lastMemory: UnsafeMutablePointer<Float>
}

/// The arrays that a backward pass reads and writes: gradients of what `ForwardArrays` has.
struct BackwardArrays {
    var batch: Int
    var outputs: UnsafePointer<Float>
    var lastHidden: UnsafePointer<Float>?
    var lastMemory: UnsafePointer<Float>?
    var input: UnsafeMutablePointer<Float>
    var hidden: UnsafeMutablePointer<Float>
    var memory: UnsafeMutablePointer<Float>
}

extension ForwardArrays {
    /// Begins so many steps further on in the input.
    mutating func skip(steps: Int, of width: Int) {
        switch input {
        case .numbers(let numbers): input = .numbers(numbers + steps * batch * width)
        case .tokens(let tokens): input = .tokens(tokens + steps * batch)
        }
        step += steps
    }
}
