#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder of data sets that the project does not bring along: the environment variable `FASTWEIGHTS_DATA`.
enum DataFolder {
    /// Its path; nil where the variable is not set or empty.
    static var path: String? {
        ProcessInfo.processInfo.environment["FASTWEIGHTS_DATA"].flatMap { $0.isEmpty ? nil : $0 }
    }
}
