@_spi(Laboratory) import FastWeights

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Android)
    import Android
#elseif os(Windows)
    import CRT
#endif

// Before anything of FastWeights runs: a build with AVX2 or AVX-512 on a processor without it would end without a word.
if let problem = ProcessorCheck.problem {
    let line = "fastweights: " + problem + ".\n"
    #if os(Windows)
        _ = _write(2, line, UInt32(line.utf8.count))
    #else
        _ = write(2, line, line.utf8.count)
    #endif
    exit(1)
}

exit(CommandLineTool.run(arguments: Array(CommandLine.arguments.dropFirst()), advice: ProcessorCheck.advice))
