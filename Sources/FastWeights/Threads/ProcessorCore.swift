#if os(Linux)
    // Declared here, as the headers show them to C programs alone that ask for GNU's extensions.
    @_silgen_name("sched_getcpu") private func currentCore() -> Int32
    @_silgen_name("sched_getaffinity")
    private func getAffinity(_ thread: Int32, _ bytes: Int, _ set: UnsafeMutablePointer<CoreSet>) -> Int32
    @_silgen_name("sched_setaffinity")
    private func setAffinity(_ thread: Int32, _ bytes: Int, _ set: UnsafePointer<CoreSet>) -> Int32

    /// A bit for each of 1024 cores: C's `cpu_set_t`.
    private struct CoreSet {
        private var low = SIMD8<UInt64>.zero
        private var high = SIMD8<UInt64>.zero

        mutating func remove(_ core: Int) {
            let mask = ~(UInt64(1) << UInt64(core % 64))
            if core < 512 { low[core / 64] &= mask } else { high[core / 64 - 8] &= mask }
        }
    }
#endif

/// The cores of the machine, as far as the system says and lets choose: on Linux.
enum ProcessorCore {
    /// The core on which the calling thread runs; negative where the system does not say.
    static var current: Int32 {
        #if os(Linux)
            currentCore()
        #else
            -1
        #endif
    }

    /// Moves the calling thread to another core if it runs on this one and may run on others. Afterwards it may run where
    /// it might before: nothing is pinned.
    static func leave(_ core: Int32) {
        #if os(Linux)
            guard (0..<1024).contains(core), currentCore() == core else { return }
            let size = MemoryLayout<CoreSet>.size
            var allowed = CoreSet()
            guard getAffinity(0, size, &allowed) >= 0 else { return }
            var others = allowed
            others.remove(Int(core))
            // Fails, and changes nothing, where there is no other core.
            if setAffinity(0, size, &others) == 0 { _ = setAffinity(0, size, &allowed) }
        #endif
    }
}
