"""The words the science families ask about, by what they are."""

ANIMALS = {
    "mammal": (
        "dog", "cat", "horse", "cow", "lion", "whale", "bat", "mouse", "bear", "goat", "sheep",
        "monkey", "rabbit", "wolf", "tiger", "dolphin",
    ),
    "bird": (
        "eagle", "owl", "duck", "penguin", "parrot", "hen", "crow", "swan", "sparrow", "ostrich",
        "pigeon", "gull",
    ),
    "fish": ("salmon", "shark", "tuna", "trout", "cod", "goldfish", "herring", "carp"),
    "insect": ("ant", "bee", "fly", "moth", "beetle", "wasp", "butterfly", "mosquito"),
}  # fmt: skip

STATES = {
    "solid": ("ice", "wood", "iron", "glass", "stone", "gold", "salt", "paper", "brick", "sand"),
    "liquid": ("water", "milk", "oil", "juice", "petrol", "blood", "rain", "vinegar"),
    "gas": ("air", "steam", "oxygen", "helium", "nitrogen", "hydrogen", "carbon dioxide", "neon"),
}

METALS = (
    "iron", "copper", "gold", "silver", "tin", "zinc", "lead", "nickel", "sodium", "aluminium",
    "mercury", "magnesium",
)  # fmt: skip
NONMETALS = (
    "oxygen", "carbon", "sulfur", "helium", "nitrogen", "chlorine", "hydrogen", "neon", "iodine",
    "phosphorus",
)  # fmt: skip

SYMBOLS = {
    "oxygen": "O",
    "hydrogen": "H",
    "carbon": "C",
    "nitrogen": "N",
    "helium": "He",
    "iron": "Fe",
    "gold": "Au",
    "silver": "Ag",
    "copper": "Cu",
    "sodium": "Na",
    "calcium": "Ca",
    "zinc": "Zn",
    "sulfur": "S",
    "chlorine": "Cl",
    "lithium": "Li",
    "aluminium": "Al",
    "potassium": "K",
    "tin": "Sn",
}

# What the options of the four-way choices are.
KINDS = {
    "a metal": ("iron", "copper", "silver", "zinc", "nickel", "gold"),
    "a gas": ("oxygen", "helium", "nitrogen", "hydrogen", "steam", "neon"),
    "a planet": ("Mars", "Venus", "Jupiter", "Saturn", "Neptune", "Mercury"),
    "an animal": ("horse", "eagle", "salmon", "tiger", "rabbit", "frog"),
    "a plant": ("oak", "grass", "rose", "moss", "fern", "tulip"),
    "an organ": ("heart", "liver", "lung", "kidney", "brain", "stomach"),
    "a unit": ("metre", "second", "newton", "volt", "joule", "gram"),
}

FACTS = {
    "What gas do plants take in to make food?": ("carbon dioxide", "CO2"),
    "What gas do humans need to breathe?": ("oxygen", "O2"),
    "Which planet is closest to the Sun?": ("Mercury",),
    "Which planet is the largest?": ("Jupiter",),
    "What star is at the centre of our solar system?": ("the Sun", "Sun"),
    "What is frozen water called?": ("ice",),
    "What force pulls things to the ground?": ("gravity",),
    "What organ pumps blood?": ("the heart", "heart"),
    "What do plants use to take up water?": ("roots", "root"),
    "What is water made of besides hydrogen?": ("oxygen",),
    "Which planet is called the red planet?": ("Mars",),
    "What do we call animals that eat only plants?": ("herbivores", "herbivore"),
    "What do we call animals that eat only meat?": ("carnivores", "carnivore"),
    "What do we use to see very small things?": ("a microscope", "microscope"),
    "What is the hardest natural mineral?": ("diamond",),
    "What orbits the Earth at night?": ("the Moon", "Moon"),
    "What gas fills most of the air?": ("nitrogen", "N2"),
    "What organ do we think with?": ("the brain", "brain"),
    "What do caterpillars become?": ("butterflies", "butterfly", "butterflies or moths"),
    "What is molten rock from a volcano called?": ("lava", "magma"),
    "What instrument measures temperature?": ("a thermometer", "thermometer"),
    "What green substance is in leaves?": ("chlorophyll",),
    "What organs do fish breathe with?": ("gills",),
    "What organs do humans breathe with?": ("lungs", "the lungs"),
}
