"""Document types, uploads and their verification."""
