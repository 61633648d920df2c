"""Every operation of the chain, each whole in one class: fields, validation, authorities and effect."""
