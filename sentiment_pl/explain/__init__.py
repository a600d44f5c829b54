"""What models say of a sentence, word by word: on a terminal, as a page, as a picture."""
