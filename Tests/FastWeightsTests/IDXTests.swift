import Foundation
import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct IDXTests {
    @Test(arguments: [
        ("idx3-ubyte", NumberType.uint8, [2, 3, 4]), ("idx3-sbyte", .int8, [2, 3, 4]),
        ("idx3-short", .int16, [2, 3, 4]),
        ("idx3-int", .int32, [2, 3, 4]), ("idx3-float", .float32, [2, 3, 4]), ("idx3-double", .float64, [2, 3, 4]),
        ("idx0-int", .int32, []), ("idx1-ubyte.gz", .uint8, [5]),
    ])
    func readsEveryType(name: String, type: NumberType, shape: [Int]) throws {
        let path = "\(GoldenTests.directory)/files/\(name)"
        let file = try IDX(path: path)
        let expected = FileFixtures.numbers(type, shape.reduce(1, *))
        #expect(file.source == path && file.type == type && file.shape == shape && file.count == expected.count)
        #expect(file.doubles == expected)
        #expect(try file.floats == expected.map { Float($0) })
        if type.isFloatingPoint {
            #expect(FileFixtures.fault { try file.integers() }?.reason == .wrongType)
        } else {
            #expect(try file.integers() == expected.map { Int($0) })
        }
    }

    @Test(arguments: [
        ([], FormatError.Reason.truncated), ([0, 0, 8], .truncated), ([0, 0, 8, 1], .truncated),
        ([0, 0, 8, 1, 0, 0, 0], .truncated), ([0, 0, 8, 1, 0, 0, 0, 2, 7], .truncated),
        ([0, 0, 8, 1, 0, 0, 0, 2, 7, 7, 7], .size), ([0, 1, 8, 1, 0, 0, 0, 1, 7], .signature),
        ([0, 0, 10, 1, 0, 0, 0, 1, 7], .header),
        ([0, 0, 14, 3] + [UInt8](repeating: 255, count: 12), .size),
        ([0, 0, 14, 1] + [UInt8](repeating: 255, count: 4), .truncated),
    ])
    func saysWhatIsWrong(bytes: [UInt8], reason: FormatError.Reason) {
        #expect(FileFixtures.fault { try IDX(bytes: bytes, source: "a") }?.reason == reason)
    }

    @Test func rankAndSizesMayBeExtreme() throws {
        let ones: [UInt8] = [0, 0, 9, 255] + (0..<255 * 4).map { $0 % 4 == 3 ? 1 : 0 } + [200]
        let file = try IDX(bytes: ones, source: "a")
        #expect(file.shape.count == 255)
        #expect(try file.integers() == [-56])
        #expect(try IDX(bytes: [0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 0, 0], source: "a").count == 0)
    }

    /// The folder with MNIST, where FASTWEIGHTS_DATA names one that has it.
    private static let mnist = DataFolder.path.map { $0 + "/mnist" }.flatMap { Files.exists($0) ? $0 : nil }

    @Test(.enabled(if: mnist != nil, "FASTWEIGHTS_DATA names no folder with MNIST"))
    func readsMNIST() throws {
        let folder = try #require(Self.mnist)
        let images = try IDX(path: "\(folder)/train-images-idx3-ubyte.gz")
        let labels = try IDX(path: "\(folder)/train-labels-idx1-ubyte.gz")
        #expect(images.shape == [60_000, 28, 28] && labels.shape == [60_000])
        let counts = try labels.integers().reduce(into: [Int](repeating: 0, count: 10)) { $0[$1] += 1 }
        #expect(counts == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
        let sum = try images.floats.reduce(0.0) { $0 + Double($1) }
        #expect(abs(sum / Double(images.count) / 255 - 0.130660) < 1e-6)
    }
}
