/// The arrays of a batch that a forward pass reads and writes, time-major; states in PyTorch's order of layers and
/// directions. The states may be the same memory.
struct ForwardArrays {
    var batch: Int
    /// The first step's place in the fast weights' schedule.
    var step: Int
    var input: UnsafePointer<Float>
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
