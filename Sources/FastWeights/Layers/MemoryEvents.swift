extension FastWeightsOptions {
    /// What one step of the fast weights does with the fast matrix A, after section 4.2 of Ba et al. 2016: there A is a cache
    /// that is written when the network turns from a coarse view to its details, and read when it comes back.
    ///
    ///     FastWeightsOptions(schedule: [[.write, .clear], [], [], .read])      // write, two steps without A, read
    ///
    /// The events of a step, in the order in which they happen:
    ///
    ///     h(t)  = h_S        with `read`; otherwise h(t) = h_0, the inner loop and its layer norms left out
    ///     A(t)  = λ A(t-1) + η h(t) h(t)ᵀ      with `write`; otherwise A(t) = A(t-1), which does not decay either
    ///     h     = 0 for the step behind        with `clear`; what the step gives is h(t) still
    public struct MemoryEvents: OptionSet, Sendable, Hashable {
        /// 1 to read, 2 to write, 4 to clear, added up.
        public let rawValue: UInt8

        /// The events of a raw value.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The inner loop reads A.
        public static let read = MemoryEvents(rawValue: 1)
        /// A decays and takes in h(t).
        public static let write = MemoryEvents(rawValue: 2)
        /// The next step starts from h = 0.
        public static let clear = MemoryEvents(rawValue: 4)
        /// What every step does where there is no schedule: it reads and writes.
        public static let usual: MemoryEvents = [.read, .write]

        private static let names: [(events: MemoryEvents, name: String)] = [
            (.read, "read"), (.write, "write"), (.clear, "clear"),
        ]

        /// The events by name, as they stand in files: "read write", "" of none.
        var text: String { Self.names.filter { contains($0.events) }.map { $0.name }.joined(separator: " ") }

        /// The events that `text` names, or nil where it names another.
        init?(text: String) {
            self = []
            for word in text.split(separator: " ") {
                guard let known = Self.names.first(where: { $0.name == word }) else { return nil }
                insert(known.events)
            }
        }
    }

    /// The events of a sequence's step t, from 0.
    @inline(__always) func events(at t: Int) -> MemoryEvents { schedule[t % schedule.count] }

    /// Writes in any `steps` steps one behind the other, at most.
    func mostWrites(steps: Int) -> Int {
        let inTurn = schedule.count { $0.contains(.write) }
        return steps / schedule.count * inTurn + min(steps % schedule.count, inTurn)
    }
}
