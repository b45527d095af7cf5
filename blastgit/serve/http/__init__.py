"""What the pages and the TAP service share: listening, sending files, answering errors."""
