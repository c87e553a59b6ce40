/// One mistake in the use of the library.
struct Case: Sendable {
    /// What is wrong, in a few words without spaces: the argument that asks for it.
    let name: String
    /// What the program must say before it ends.
    let sentence: String
    /// Makes the mistake.
    let run: @Sendable () throws -> Void

    init(_ name: String, _ sentence: String, _ run: @autoclosure @escaping @Sendable () throws -> Any) {
        self.init(name, sentence, doing: { _ = try run() })
    }

    init(_ name: String, _ sentence: String, doing run: @escaping @Sendable () throws -> Void) {
        (self.name, self.sentence, self.run) = (name, sentence, run)
    }
}
