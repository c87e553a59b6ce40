/// The most bytes allocated at once while a file is opened.
///
/// On Linux the linker gives this program (see Package.swift) the functions below for `malloc` and its kin, which then
/// every library of the process calls. Elsewhere nothing is measured.
enum AllocationMeter {
    #if os(Linux) && canImport(Glibc)
        static let isAvailable = true
    #else
        static let isAvailable = false
    #endif

    /// Runs `body` and gives the most bytes that it had allocated at any moment.
    static func peak(_ body: () -> Void) -> Int {
        (held, peak, isMeasuring) = (0, 0, true)
        body()
        isMeasuring = false
        return peak
    }

    fileprivate nonisolated(unsafe) static var isMeasuring = false
    private nonisolated(unsafe) static var held = 0
    private nonisolated(unsafe) static var peak = 0

    fileprivate static func take(_ bytes: Int) {
        held += bytes
        peak = max(peak, held)
    }
}

#if os(Linux) && canImport(Glibc)
    import Glibc

    @_silgen_name("__libc_malloc") private func libcMalloc(_ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_calloc") private func libcCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_realloc")
    private func libcRealloc(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_memalign")
    private func libcMemalign(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("malloc_usable_size") private func usableSize(_ pointer: UnsafeMutableRawPointer?) -> Int
    @_silgen_name("__libc_free") private func libcFree(_ pointer: UnsafeMutableRawPointer?)

    /// Counts what was allocated. One thread runs here, so there is no other whose memory would count.
    private func counted(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if AllocationMeter.isMeasuring { AllocationMeter.take(usableSize(pointer)) }
        return pointer
    }

    @_cdecl("metered_malloc") public func meteredMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
        counted(libcMalloc(size))
    }

    @_cdecl("metered_calloc") public func meteredCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        counted(libcCalloc(count, size))
    }

    @_cdecl("metered_realloc")
    public func meteredRealloc(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        // Old and new may exist together for a moment.
        let old = usableSize(pointer)
        let new = counted(libcRealloc(pointer, size))
        if AllocationMeter.isMeasuring, new != nil { AllocationMeter.take(-old) }
        return new
    }

    @_cdecl("metered_aligned_alloc")
    public func meteredAlignedAlloc(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        counted(libcMemalign(alignment, size))
    }

    @_cdecl("metered_posix_memalign")
    public func meteredPosixMemalign(
        _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
    ) -> Int32 {
        result.pointee = counted(libcMemalign(alignment, size))
        return result.pointee == nil ? ENOMEM : 0
    }

    @_cdecl("metered_free") public func meteredFree(_ pointer: UnsafeMutableRawPointer?) {
        if AllocationMeter.isMeasuring { AllocationMeter.take(-usableSize(pointer)) }
        libcFree(pointer)
    }
#endif
