import Foundation
import Testing

@testable import FastWeights

@Suite struct TranscendentalTests {
    /// The worst error in units of the last place of the true result, over every 2⁻¹¹th float of both signs.
    func worst(_ function: (Lanes) -> Lanes, _ reference: (Double) -> Double, below limit: Float) -> Double {
        var worst = 0.0
        var lanes = Lanes.zero
        var bits: UInt32 = 0
        while bits < limit.bitPattern {
            for lane in 0..<16 {
                let x = Float(bitPattern: bits &+ UInt32(lane / 2) &* 1021)
                lanes[lane] = lane % 2 == 0 ? x : -x
            }
            let result = function(lanes)
            for lane in 0..<16 {
                let truth = reference(Double(lanes[lane]))
                let rounded = Float(truth)
                guard rounded.isFinite else { continue }
                let error = abs(Double(result[lane]) - truth) / Double(max(rounded.ulp, .leastNonzeroMagnitude))
                worst = max(worst, error.isNaN ? .infinity : error)
            }
            bits &+= 8 &* 1021
        }
        return worst
    }

    @Test func exponentialIsWithinItsBound() {
        #expect(worst({ $0.exponential() }, { Foundation.exp($0) }, below: 110) <= 1.3)
    }

    @Test func sigmoidIsWithinItsBound() {
        #expect(worst({ $0.sigmoid() }, { 1 / (1 + Foundation.exp(-$0)) }, below: 110) <= 2.5)
    }

    @Test func hyperbolicTangentIsWithinItsBound() {
        #expect(worst({ $0.hyperbolicTangent() }, { Foundation.tanh($0) }, below: 200) <= 1.5)
    }

    @Test func limitsAndNotANumber() {
        func one(_ x: Float, _ function: (Lanes) -> Lanes) -> Float { function(Lanes(repeating: x))[3] }
        #expect(one(.infinity) { $0.exponential() } == .infinity)
        #expect(one(-.infinity) { $0.exponential() } == 0)
        #expect(one(0) { $0.exponential() } == 1)
        #expect(one(.infinity) { $0.sigmoid() } == 1)
        #expect(one(-.infinity) { $0.sigmoid() } == 0)
        #expect(one(.infinity) { $0.hyperbolicTangent() } == 1)
        #expect(one(-1e30) { $0.hyperbolicTangent() } == -1)
        #expect(one(.nan) { $0.exponential() }.isNaN && one(.nan) { $0.sigmoid() }.isNaN)
        #expect(one(.nan) { $0.hyperbolicTangent() }.isNaN && one(.nan) { $0.rectified }.isNaN)
    }

    @Test func logarithmAgreesWithTheSystem() {
        var random = Random(seed: 3)
        for _ in 0..<10_000 {
            let x = Foundation.exp(80 * random.uniform() - 40)
            #expect(abs(naturalLogarithm(x) - Foundation.log(x)) <= 2 * max(Foundation.log(x).ulp, 0x1p-53))
        }
        #expect(naturalLogarithm(1) == 0)
    }

    /// At every power of two and at √2 times it, where k changes, too.
    @Test func logarithmOfLanesHasTheBitsOfThatOfANumber() {
        var random = Random(seed: 4)
        for power in 0..<128 {
            let two = Float(sign: .plus, exponent: power, significand: 1)
            var x = Lanes.zero
            for lane in 0..<Lanes.width { x[lane] = two * Float(1 + random.uniform()) }
            let middle = two * Float(2).squareRoot()
            (x[0], x[5], x[6], x[7], x[8]) = (two, two.nextUp, middle.nextDown, middle, middle.nextUp)
            let found = naturalLogarithm(x)
            for lane in 0..<Lanes.width {
                let expected = x[lane].isFinite ? Float(naturalLogarithm(Double(x[lane]))) : .nan
                #expect(found[lane].bitPattern == expected.bitPattern, "\(x[lane])")
            }
        }
        for x: Float in [.nan, .infinity] { #expect(naturalLogarithm(Lanes(repeating: x))[3].isNaN) }
    }

    @Test func eightLanesGiveTheBitsOfSixteen() {
        for first in stride(from: -110, to: 110, by: 0.37) as StrideTo<Float> {
            var eight = Octet(repeating: first)
            for lane in 0..<8 { eight[lane] += Float(lane) * 0.046 }
            if first > 109 { eight = Octet(0, -0.0, .infinity, -.infinity, 0x1p-130, -0x1p-130, 0.65, 9.5) }
            let sixteen = Lanes(lowHalf: eight, highHalf: eight)
            #expect(eight.sigmoid() == sixteen.sigmoid().lowHalf)
            #expect(eight.gate() == sixteen.gate().lowHalf)
            #expect(eight.hyperbolicTangent() == sixteen.hyperbolicTangent().lowHalf)
        }
    }
}
