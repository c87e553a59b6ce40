/// The floating-point operations that a sequence needs on its way through a classifier, a multiply-add counted as two.
///
/// Counted are the products, from the sizes alone:
///
/// - the token table, E·W_ihᵀ, made once a batch: V·G·I multiply-adds for its rows, and as many each for the gradients
///   of embedding and W_ih. I is the size of the embedding, G = H a gate the cell's rows.
/// - the recurrent matrix: G·H a step, of the associative LSTM the rows that it has, and as many each for the gradients of h and of W_hh. The first step has a state of
///   zeros to multiply, and needs none of them.
/// - the fast memory: see `attention`.
/// - the head: H·D + D·C with D units and C classes, and as many each for the gradients of its input and its weights.
///
/// Left out is all that is done number by number: activations, gates, products of complex numbers, layer norms, biases, gathering the rows of the
/// table, the decay of the fast matrix, the loss, clipping and Adam. They cost time too, most of it in exp and tanh, so
/// no step can reach the whole peak.
struct FloatingPointOperations: Equatable {
    /// Of the forward pass, for each sequence.
    let forward: Double
    /// Of the backward pass, for each sequence.
    let backward: Double

    var trainingStep: Double { forward + backward }

    /// Of the paper's classifier around a cell, with sequences of `steps` tokens, `batch` of which share the token table of a step.
    init(_ cell: Cell, hidden: Int, steps: Int, batch: Int) {
        let (vocabulary, classes) = (AssociativeRetrieval.vocabulary, AssociativeRetrieval.classes)
        let (embedding, units) = (100, 100)
        let sizes = cell.sizes(hidden: hidden)
        let table = Double(vocabulary * sizes.rows * embedding) / Double(batch)
        let recurrent = Double((steps - 1) * sizes.recurrentRows * hidden)
        let head = Double(units * (hidden + classes))
        var memory = (forward: 0.0, backward: 0.0)
        if case .fastWeights(let options) = cell {
            memory = Self.attention(options, hidden: hidden, steps: steps)
        }
        forward = 2 * (table + recurrent + head + memory.forward)
        backward = 2 * (2 * (table + recurrent + head) + memory.backward)
    }

    /// Of C = A·B, C being [m, n].
    static func product(_ m: Int, _ n: Int, _ k: Int) -> Double {
        2 * Double(m) * Double(n) * Double(k)
    }

    /// Multiply-adds of the fast memory in both passes of one sequence, in chunks of c steps, A being zero at first.
    ///
    /// A read after n writes, S times a step, meets the n mod c states written since the chunk began. Each costs 2·H
    /// forward (a dot product, and a vector added to z) and 4·H backward (a dot product, and vectors added to the
    /// gradients of the query and, twice, of the state). Behind the first chunk there is a matrix too: H² forward, and
    /// 2·H² backward for the gradients of the query and of the matrix. A chunk that a later read needs as a matrix is
    /// folded into it for H² a state, and for 2·H² a state backward.
    static func attention(
        _ options: FastWeightsOptions, hidden: Int, steps: Int
    ) -> (forward: Double, backward: Double) {
        guard options.innerSteps > 0 else { return (0, 0) }
        let chunk = options.memory.chunk(steps: steps, hidden: hidden)
        let (vector, matrix) = (Double(hidden), Double(hidden * hidden))
        var (forward, backward) = (0.0, 0.0)
        for writes in 0..<steps {
            let reads = Double(options.innerSteps)
            let entries = Double(writes % chunk)
            forward += reads * entries * 2 * vector
            backward += reads * entries * 4 * vector
            guard writes >= chunk else { continue }
            forward += reads * matrix
            backward += reads * 2 * matrix
            if entries == 0 {
                forward += Double(chunk) * matrix
                backward += 2 * Double(chunk) * matrix
            }
        }
        return (forward, backward)
    }
}
