import Testing

@testable import FastWeights

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: text.utf8) }

    private func error(_ text: String) -> JSONError? { error(Array(text.utf8)) }

    private func error(_ bytes: [UInt8]) -> JSONError? {
        do {
            _ = try JSON(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Reading

    @Test func readsEveryKindOfValue() throws {
        let text = " {\"a\": [1, -2.5e-3, 0, true, false, null], \"b\": {\"c\": \"x\"}, \"\": []}\r\n\t"
        let expected: JSON = ["a": [1, -0.0025, 0, true, false, nil], "b": ["c": "x"], "": []]
        #expect(try parse(text) == expected)
    }

    @Test(arguments: [
        ("0", 0.0), ("-0", -0.0), ("10", 10), ("1.5", 1.5), ("1e3", 1000), ("1E+3", 1000), ("25e-1", 2.5),
        ("1.7976931348623157e308", Double.greatestFiniteMagnitude), ("5e-324", .leastNonzeroMagnitude), ("1e-999", 0),
    ])
    func readsNumbers(_ text: String, _ expected: Double) throws {
        let value = try #require(try parse(text).number)
        #expect(value.bitPattern == expected.bitPattern)
    }

    @Test func readsEscapesAndUnicode() throws {
        let text = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83D\uDE00 é€😀\u0000""#
        #expect(try parse(text) == .string("\"\\/\u{08}\u{0C}\n\r\tAé€😀 é€😀\u{0}"))
    }

    @Test func keepsTheOrderOfMembers() throws {
        let members = try #require(try parse(#"{"z":1,"a":2,"m":3}"#).members)
        #expect(members.map(\.key) == ["z", "a", "m"])
        #expect(try parse(#"{"a":1,"b":2}"#) != parse(#"{"b":2,"a":1}"#))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "{\"a\" 1}", "{1:2}", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity",
        "-Infinity",
        "tru", "True", "nul", "nulll", "1 2", "[]]", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"",
        "\"\\uD800\"", "\"\\uD800\\n\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"", "\"\\uDC00\\uD800\"", "\"a\nb\"",
        "\"\t\"",
        "\"\u{0}\"", "// c\n1", "[1] x", "\u{FEFF}1", "1e999", "-1e999", "\u{0C}1", "1\u{A0}",
    ])
    func refuses(_ text: String) {
        #expect(error(text) != nil)
    }

    @Test func refusesDuplicateKeysEvenWhenOneIsEscaped() {
        let found = error(#"{"a":1,"\u0061":2}"#)
        #expect(found?.offset == 7)
        #expect(found?.expected == "keys that differ")
        #expect(error(#"[{"a":1},{"a":2}]"#) == nil)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0x80, 0x22], [0x22, 0xEF, 0xBF, 0x22],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
        #expect(error(bytes)?.expected == "text in UTF-8")
    }

    @Test func acceptsTheReplacementCharacterItself() throws {
        #expect(try parse("\"a\u{FFFD}b\"") == .string("a\u{FFFD}b"))
    }

    @Test func limitsTheDepthOfNesting() throws {
        let allowed = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(throws: Never.self) { try parse(allowed) }
        #expect(error("[" + allowed + "]")?.expected.contains("at most 128") == true)
        #expect(error(String(repeating: "{\"a\":", count: 100_000)) != nil)
        let wide = "[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]"
        #expect(try parse(wide).elements?.count == 1000)
    }

    @Test func errorsNameThePlace() {
        let found = error("{\n  \"a\": 1,\n  \"b\": ?\n}")
        #expect(found == JSONError(offset: 19, line: 3, expected: "a JSON value", found: "\"?\""))
        #expect(found?.description == "line 3, byte 19: expected a JSON value, found \"?\"")
        #expect(error("[1")?.found == "the end")
        #expect(error("[1\u{7F}")?.found == "the byte 0x7F")
    }

    // MARK: Writing

    @Test func writesCompactly() {
        let value: JSON = ["a": [1, 2.5, "x", nil], "b": [:], "c": [], "d": true]
        #expect(value.serialized() == #"{"a":[1,2.5,"x",null],"b":{},"c":[],"d":true}"#)
    }

    @Test func writesIndented() {
        let value: JSON = ["a": [1, 2], "b": [["c": 1], []], "d": [:]]
        let expected = """
            {
              "a": [1, 2],
              "b": [
                {
                  "c": 1
                },
                []
              ],
              "d": {}
            }
            """
        #expect(value.serialized(indented: true) == expected)
    }

    private static let numbers: [(Double, String)] = [
        (1, "1"), (-3, "-3"), (0, "0"), (-0.0, "-0"), (0.1, "0.1"), (9_007_199_254_740_991, "9007199254740991"),
        (1e300, "1e+300"), (.infinity, "null"), (-.infinity, "null"), (.nan, "null"), (1.0 / 3, "0.3333333333333333"),
    ]

    @Test(arguments: numbers)
    func writesNumbers(_ value: Double, _ expected: String) {
        #expect(JSON.number(value).serialized() == expected)
    }

    @Test func escapesWhatJSONForbids() {
        let value = JSON.string("\"\\/\u{01}\u{1F}\u{08}\u{0C}\n\r\té😀\u{7F}")
        #expect(value.serialized() == "\"\\\"\\\\/\\u0001\\u001f\\b\\f\\n\\r\\té😀\u{7F}\"")
    }

    @Test(arguments: [false, true])
    func readsBackWhatItWrites(indented: Bool) throws {
        let numbers: [Double] = [
            0, -0.0, 1, 0.1, -1.0 / 3, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
            9_007_199_254_740_994, 1e15, 123456.789, 1e-7, 0x1p60,
        ]
        let value: JSON = [
            "numbers": .array(numbers.map(JSON.number)), "text": "\u{0}\u{1F}\"\\é😀\u{2028}",
            "nested": [[[]], [:], nil],
        ]
        let again = try parse(value.serialized(indented: indented))
        #expect(again == value)
        let bits = try #require(again["numbers"]?.elements).map { $0.number?.bitPattern }
        #expect(bits == numbers.map(\.bitPattern))
    }

    // MARK: Access

    @Test func accessorsAnswerOnlyForTheirKind() {
        let value: JSON = ["n": 3, "h": 2.5, "s": "x", "b": false, "a": [1], "o": ["k": 1], "z": nil]
        #expect(value["n"]?.number == 3 && value["n"]?.integer == 3 && value["n"]?.text == nil)
        #expect(value["h"]?.integer == nil && value["h"]?.number == 2.5)
        #expect(value["s"]?.text == "x" && value["s"]?.number == nil)
        #expect(value["b"]?.boolean == false && value["n"]?.boolean == nil)
        #expect(value["a"]?.elements == [1] && value["a"]?.members == nil)
        #expect(value["o"]?["k"] == 1 && value["o"]?["missing"] == nil && value["s"]?["k"] == nil)
        #expect(value["z"] == .some(.null) && value["missing"] == nil)
    }

    @Test func integersStopWhereDoublesCeaseToBeExact() {
        #expect(JSON.number(9_007_199_254_740_992).integer == 9_007_199_254_740_992)
        #expect(JSON.number(-9_007_199_254_740_992).integer == -9_007_199_254_740_992)
        #expect(JSON.number(9_007_199_254_740_994).integer == nil)
        #expect(JSON.number(1e300).integer == nil)
        #expect(JSON.number(.nan).integer == nil)
    }
}
