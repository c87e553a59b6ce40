/// A configuration in a file that is incomplete, or of a kind this module does not know.
struct ConfigurationError: Error, CustomStringConvertible, Equatable {
    let description: String
}

/// Typed members of a configuration, each with an error that names it.
struct ConfigurationReader {
    let json: JSON
    let owner: String
    /// How deep layers may be in the layers of this one.
    var depth = 8

    /// What is wrong with a member: what was expected and what is there.
    func wrong(_ key: String, _ expected: String) -> ConfigurationError {
        let found = json[key].map { $0.serialized() } ?? "nothing"
        return ConfigurationError(
            description: "the \(owner)'s configuration needs \(key) as \(expected), found \(found)")
    }

    func text(_ key: String, default fallback: String? = nil) throws(ConfigurationError) -> String {
        guard let value = json[key].map({ $0.text }) ?? fallback else { throw wrong(key, "a text") }
        return value
    }

    /// A member; one that is null is not there, as numbers that JSON cannot write.
    private func member(_ key: String) -> JSON? {
        guard let value = json[key], value != .null else { return nil }
        return value
    }

    func number(_ key: String, default fallback: Double? = nil) throws(ConfigurationError) -> Double {
        guard let value = member(key).map({ $0.number }) ?? fallback else { throw wrong(key, "a number") }
        return value
    }

    func flag(_ key: String, default fallback: Bool? = nil) throws(ConfigurationError) -> Bool {
        guard let value = member(key).map({ $0.boolean }) ?? fallback else { throw wrong(key, "true or false") }
        return value
    }

    func count(
        _ key: String, from: Int = 1, to: Int = sizeLimit, default fallback: Int? = nil
    ) throws(ConfigurationError) -> Int {
        guard let value = json[key].map({ $0.integer }) ?? fallback, (from...to).contains(value) else {
            throw wrong(key, "a whole number from \(from) to \(to)")
        }
        return value
    }
}
