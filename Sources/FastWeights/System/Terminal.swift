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
    import WinSDK
#endif

/// Standard output and standard error of the command line tool: what they can show, and writing to them.
enum Terminal {
    /// Results go to `output`, progress and messages to `error`. The raw value is the file descriptor.
    enum Stream: Int32, Sendable {
        case output = 1
        case error = 2
    }

    /// Columns where nothing tells better.
    static let defaultWidth = 80

    /// Whether a person sees the stream, rather than a file or another program.
    static func isInteractive(_ stream: Stream) -> Bool {
        #if os(Windows)
            _isatty(stream.rawValue) != 0
        #else
            isatty(stream.rawValue) != 0
        #endif
    }

    /// Columns of the terminal: what it says itself, else the variable COLUMNS, else 80.
    static func width(_ stream: Stream = .error) -> Int {
        measuredSize(stream)?.columns ?? declaredWidth(environment: environment) ?? defaultWidth
    }

    /// Columns that a table may have: those of the terminal, else of the variable COLUMNS; elsewhere, as in a file, any.
    static func tableWidth(_ stream: Stream = .output) -> Int {
        measuredSize(stream)?.columns ?? declaredWidth(environment: environment) ?? .max
    }

    /// Whether lines and columns of `stream`'s terminal hold so many; true where it does not say.
    static func holds(rows: Int, columns: Int, _ stream: Stream) -> Bool {
        measuredSize(stream).map { $0.rows >= rows && $0.columns >= columns } ?? true
    }

    /// Whether escape sequences for color are welcome: a terminal that is not "dumb", and no NO_COLOR.
    static func allowsColor(_ stream: Stream) -> Bool {
        allowsColor(isInteractive: isInteractive(stream), environment: environment)
    }

    /// Whether the terminal announces 24-bit color.
    static var hasTrueColor: Bool {
        hasTrueColor(environment: environment)
    }
}

// MARK: - Rules over the environment

extension Terminal {
    static func declaredWidth(environment: (String) -> String?) -> Int? {
        environment("COLUMNS").flatMap { UInt16($0) }.flatMap { $0 > 0 ? Int($0) : nil }
    }

    static func allowsColor(isInteractive: Bool, environment: (String) -> String?) -> Bool {
        isInteractive && environment("TERM") != "dumb" && (environment("NO_COLOR") ?? "").isEmpty
    }

    static func hasTrueColor(environment: (String) -> String?) -> Bool {
        ["truecolor", "24bit"].contains(environment("COLORTERM"))
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func measuredSize(_ stream: Stream) -> (columns: Int, rows: Int)? {
        #if os(Windows)
            var info = CONSOLE_SCREEN_BUFFER_INFO()
            let handle = GetStdHandle(stream == .output ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE)
            guard GetConsoleScreenBufferInfo(handle, &info) else { return nil }
            let columns = Int(info.srWindow.Right - info.srWindow.Left) + 1
            let rows = Int(info.srWindow.Bottom - info.srWindow.Top) + 1
        #else
            var size = winsize()
            guard ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
            let (columns, rows) = (Int(size.ws_col), Int(size.ws_row))
        #endif
        return columns > 0 && rows > 0 ? (columns, rows) : nil
    }
}

// MARK: - Writing

extension Terminal {
    /// Readies the process for ``write(_:to:)``; to be called once, before anything is written.
    ///
    /// A closed pipe then shows as an error of the write instead of a signal, and a Windows console takes UTF-8 and
    /// escape sequences.
    static func prepare() {
        #if os(Windows)
            SetConsoleOutputCP(UINT(CP_UTF8))
            for stream in [Stream.output, .error] {
                _ = _setmode(stream.rawValue, _O_BINARY)
                let handle = GetStdHandle(stream == .output ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE)
                var mode: DWORD = 0
                if GetConsoleMode(handle, &mode) {
                    SetConsoleMode(handle, mode | DWORD(ENABLE_VIRTUAL_TERMINAL_PROCESSING))
                }
            }
        #else
            _ = signal(SIGPIPE, SIG_IGN)
        #endif
    }

    /// Writes `text` at once, without a buffer of the process in between.
    ///
    /// Ends the process if standard output cannot be written, as the result of the work would be lost: silently with
    /// status 141 if its reader went away (`fastweights … | head`), with a message and status 1 otherwise. A standard
    /// error that cannot be written is ignored.
    static func write(_ text: String, to stream: Stream = .output) { write(Array(text.utf8), to: stream) }

    /// The path that stands for standard output.
    static let outputPath = "-"

    /// Writes `text` to standard output where that is what the path stands for, elsewhere atomically into a file. Throws
    /// when the file cannot be written.
    static func write(_ text: String, toPath path: String) throws(FileError) {
        if path == outputPath { write(text) } else { try Files.writeAtomically(Array(text.utf8), to: path) }
    }

    /// The same of bytes, which need be no text.
    static func write(_ bytes: [UInt8], to stream: Stream = .output) {
        let fault = write(bytes, descriptor: stream.rawValue)
        guard fault != 0, stream == .output else { return }
        if isClosedPipe(fault) { _exit(141) }
        let message = "fastweights: cannot write to standard output: \(String(cString: strerror(fault)))\n"
        _ = write(Array(message.utf8), descriptor: Stream.error.rawValue)
        _exit(1)
    }

    /// Waits so long, or until a signal comes.
    static func pause(seconds: Double) {
        #if os(Windows)
            Sleep(UInt32(max(0, min(seconds * 1000, 1e9))))
        #else
            var time = timespec()
            // A century is for ever.
            let seconds = min(seconds, 3e9)
            time.tv_sec = Int(seconds)
            time.tv_nsec = Int((seconds - seconds.rounded(.down)) * 1e9)
            nanosleep(&time, nil)
        #endif
    }

    /// Writes all bytes, in as many turns as that takes; 0 or the `errno` of what failed.
    private static func write(_ bytes: [UInt8], descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                waitUntilWritable(descriptor)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    #if os(Windows)
        private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
            Int(_write(descriptor, bytes.baseAddress, UInt32(min(bytes.count, 1 << 20))))
        }

        private static func waitUntilWritable(_ descriptor: Int32) {
            Sleep(1)
        }

        private static func isClosedPipe(_ fault: Int32) -> Bool {
            fault == EPIPE || fault == EINVAL
        }
    #else
        private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
            #if canImport(Darwin)
                Darwin.write(descriptor, bytes.baseAddress, bytes.count)
            #elseif canImport(Glibc)
                Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            #elseif canImport(Musl)
                Musl.write(descriptor, bytes.baseAddress, bytes.count)
            #elseif canImport(Android)
                Android.write(descriptor, bytes.baseAddress!, bytes.count)
            #endif
        }

        private static func waitUntilWritable(_ descriptor: Int32) {
            var descriptor = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&descriptor, 1, -1)
        }

        private static func isClosedPipe(_ fault: Int32) -> Bool {
            fault == EPIPE
        }
    #endif
}
