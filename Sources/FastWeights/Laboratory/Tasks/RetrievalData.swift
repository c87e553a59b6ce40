/// The examples of a run on associative retrieval.
struct RetrievalData: Sendable {
    let task: AssociativeRetrieval
    let training: Examples
    let validation: Examples
    let test: Examples
    let plateau: Plateau

    /// So many training, validation and test examples, drawn with `seed`.
    init(_ task: AssociativeRetrieval, counts: [Int], seed: UInt64) throws(TaskError) {
        let sets = try task.generate(counts: counts, seed: seed)
        (self.task, training, validation, test) = (task, sets[0], sets[1], sets[2])
        plateau = Plateau(task)
    }
}
