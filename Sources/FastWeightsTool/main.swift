import FastWeights

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

exit(CommandLineTool.run(arguments: Array(CommandLine.arguments.dropFirst())))
