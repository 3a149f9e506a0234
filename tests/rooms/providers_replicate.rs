//! FAL.AI through its stand-in: each trap that its protocol holds.
