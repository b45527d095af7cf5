"""What the pages and the TAP service share below them: listening, sending files, telling what went wrong."""
