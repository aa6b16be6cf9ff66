"""Plain text: numbers, bars, strips and lines of spans. Knows neither grpc nor textual."""
