"""From a vocabulary to a matrix of word vectors."""
